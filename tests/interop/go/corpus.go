package main

import (
	"crypto/sha256"
	"fmt"
	"strconv"

	"github.com/apache/rocketmq-client-go/v2/primitive"
)

const shards = 8

var tags = []string{"TagA", "TagB", "TagC"}

// corpus makes message i of a seed; the rules stand in corpus.py, and must agree.
type corpus struct {
	topic string
	seed  string
}

func (c corpus) message(i int) *primitive.Message {
	message := primitive.NewMessage(c.topic, c.body(i))
	if i%10 != 9 {
		message.WithTag(tags[i%len(tags)])
	}
	keys := []string{fmt.Sprintf("key-%s-%d", c.seed, i)}
	if i%5 == 0 {
		keys = append(keys, fmt.Sprintf("even-%d", i))
	}
	message.WithKeys(keys)
	message.WithProperty("i", strconv.Itoa(i))
	message.WithProperty("seed", c.seed)
	message.WithProperty("shard", strconv.Itoa(i%shards))
	if i%4 == 0 {
		message.WithProperty("text", fmt.Sprintf("Größe 消息 %d", i))
	}
	return message
}

func (c corpus) body(i int) []byte {
	block := sha256.Sum256([]byte(fmt.Sprintf("%s:%d", c.seed, i)))
	size := bodySize(i, int(block[0])<<16|int(block[1])<<8|int(block[2]))
	body := make([]byte, 0, size+len(block))
	for len(body) < size {
		body = append(body, block[:]...)
		if i%2 == 1 {
			block = sha256.Sum256(block[:])
		}
	}
	return body[:size]
}

func bodySize(i int, random int) int {
	switch {
	case i%997 == 13:
		return 100_000 + random%200_000
	case i%50 == 7:
		return 2_000 + random%18_000
	default:
		return 1 + random%600
	}
}
