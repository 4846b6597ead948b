package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"os"
	"strconv"
	"strings"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// consume prints every message until standard input ends; the command "assignment"
// prints the queues held now. Its options are namesrv, topic, group, expression,
// listener (concurrent or orderly) and refuse (each message whose number it divides is
// sent back once).
func consume(flags *flag.FlagSet, words []string) error {
	names := flags.String("namesrv", "", "name server")
	topic := flags.String("topic", "", "topic")
	group := flags.String("group", "", "consumer group")
	expression := flags.String("expression", "*", "tags")
	listener := flags.String("listener", "concurrent", "concurrent or orderly")
	refuse := flags.Int("refuse", 0, "refuse once what this divides")
	user := flags.String("user", "", "who signs requests")
	password := flags.String("password", "", "the secret of that user")
	useTLS := flags.Bool("tls", false, "use TLS")
	flags.Parse(words)
	options := append(consumerTLS(*useTLS),
		consumer.WithNsResolver(primitive.NewPassthroughResolver(strings.Split(*names, ";"))),
		consumer.WithGroupName(*group),
		consumer.WithCredentials(primitive.Credentials{AccessKey: *user, SecretKey: *password}),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
		consumer.WithConsumerOrder(*listener == "orderly"),
	)
	made, err := consumer.NewPushConsumer(options...)
	if err != nil {
		return err
	}
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: *expression}
	handle := func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		return receive(ctx, *refuse, messages)
	}
	if err := made.Subscribe(*topic, selector, handle); err != nil {
		return err
	}
	if err := made.Start(); err != nil {
		return err
	}
	say("started", line{})
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		queues := [][]any{}
		for queue := range made.GetConsumerRunningInfo(false).MQTable {
			queues = append(queues, []any{queue.Topic, queue.BrokerName, queue.QueueId})
		}
		say("assignment", line{"queues": queues})
	}
	return made.Shutdown()
}

func receive(ctx context.Context, refuse int, messages []*primitive.MessageExt) (consumer.ConsumeResult, error) {
	first := messages[0]
	i, _ := strconv.Atoi(first.GetProperty("i"))
	if refuse > 0 && first.ReconsumeTimes == 0 && i%refuse == 0 {
		if concurrent, known := primitive.GetConcurrentlyCtx(ctx); known {
			concurrent.DelayLevelWhenNextConsume = 1
		}
		say("refused", line{"i": i})
		return consumer.ConsumeRetryLater, nil
	}
	consuming, _ := primitive.GetConsumerCtx(ctx)
	for _, message := range messages {
		sayMessage(message, consuming.MQ.BrokerName)
	}
	return consumer.ConsumeSuccess, nil
}

func sayMessage(message *primitive.MessageExt, brokerName string) {
	digest := sha256.Sum256(message.Body)
	fields := line{
		"topic":           message.Topic,
		"broker":          brokerName,
		"queueId":         message.Queue.QueueId,
		"queueOffset":     message.QueueOffset,
		"commitLogOffset": message.CommitLogOffset,
		"msgId":           message.MsgId,
		"keys":            message.GetKeys(),
		"properties":      message.GetProperties(),
		"reconsumeTimes":  message.ReconsumeTimes,
		"bornHost":        message.BornHost,
		"size":            len(message.Body),
		"digest":          hex.EncodeToString(digest[:]),
	}
	if tag := message.GetTags(); tag != "" {
		fields["tags"] = tag
	}
	say("message", fields)
}
