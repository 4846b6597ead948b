package main

import (
	"bufio"
	"context"
	"flag"
	"os"
	"strings"
	"time"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

const patience = 30 * time.Second

// ask replies to the requests of one topic, and sends a request for each line of
// standard input, which is a topic and a body. Its options are namesrv, topic and group.
func ask(flags *flag.FlagSet, words []string) error {
	names := flags.String("namesrv", "", "name server")
	topic := flags.String("topic", "", "topic")
	group := flags.String("group", "", "consumer group")
	flags.Parse(words)
	resolver := primitive.NewPassthroughResolver(strings.Split(*names, ";"))
	asking, err := producer.NewDefaultProducer(
		producer.WithNsResolver(resolver), producer.WithGroupName(*group+"_asks"))
	if err != nil {
		return err
	}
	if err := asking.Start(); err != nil {
		return err
	}
	replying, err := consumer.NewPushConsumer(
		consumer.WithNsResolver(resolver), consumer.WithGroupName(*group),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	if err != nil {
		return err
	}
	err = replying.Subscribe(*topic, consumer.MessageSelector{}, func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			reply(ctx, asking, message)
		}
		return consumer.ConsumeSuccess, nil
	})
	if err != nil {
		return err
	}
	if err := replying.Start(); err != nil {
		return err
	}
	say("started", line{})
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		to, body, _ := strings.Cut(commands.Text(), " ")
		response, err := asking.Request(context.Background(), patience, primitive.NewMessage(to, []byte(body)))
		if err != nil {
			say("reply", line{"body": err.Error()})
		} else {
			say("reply", line{"body": string(response.Body)})
		}
	}
	if err := replying.Shutdown(); err != nil {
		return err
	}
	return asking.Shutdown()
}

func reply(ctx context.Context, by interface {
	SendSync(context.Context, ...*primitive.Message) (*primitive.SendResult, error)
}, message *primitive.MessageExt) {
	made, err := consumer.CreateReplyMessage(message, nil)
	if err != nil {
		say("failed", line{"error": err.Error()})
		return
	}
	// It has read the body as properties, and kept none.
	made.Body = append([]byte("go "), message.Body...)
	if _, err := by.SendSync(ctx, made); err != nil {
		say("failed", line{"error": err.Error()})
		return
	}
	say("replied", line{"status": "SEND_OK"})
}
