//go:build !tls

package main

import (
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// The released client has no TLS.

func producerTLS(use bool) []producer.Option {
	if use {
		panic("this client has no TLS")
	}
	return nil
}

func consumerTLS(use bool) []consumer.Option {
	if use {
		panic("this client has no TLS")
	}
	return nil
}
