//go:build tls

package main

import (
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// The client verifies no certificate, and shows none.

func producerTLS(use bool) []producer.Option {
	return []producer.Option{producer.WithTls(use)}
}

func consumerTLS(use bool) []consumer.Option {
	return []consumer.Option{consumer.WithTls(use)}
}
