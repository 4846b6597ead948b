package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

const batchLength = 20
const batchBytes = 1_000_000
const inFlight = 100

var statuses = []string{"SEND_OK", "FLUSH_DISK_TIMEOUT", "FLUSH_SLAVE_TIMEOUT", "SLAVE_NOT_AVAILABLE", "UNKNOWN"}

// sender sends the corpus, one mode after the other.
type sender struct {
	producer rocketmq.Producer
	corpus   corpus
}

// send runs a plan such as "sync:200,async:200,oneway:200,batch:200,ordered:200,delayed:1".
// Its options are namesrv, topic, group, seed, plan, from (the first number) and, for
// transactions, linger (the seconds to stay).
func send(flags *flag.FlagSet, words []string) error {
	names := flags.String("namesrv", "", "name server")
	topic := flags.String("topic", "", "topic")
	group := flags.String("group", "interop_producer", "producer group")
	seed := flags.String("seed", "s", "seed of the corpus")
	plan := flags.String("plan", "", "mode:count,...")
	first := flags.Int("from", 0, "first number")
	linger := flags.Int("linger", 0, "seconds to stay")
	user := flags.String("user", "", "who signs requests")
	password := flags.String("password", "", "the secret of that user")
	useTLS := flags.Bool("tls", false, "use TLS")
	flags.Parse(words)
	// The hash selector keeps one sharding key in one queue; without a key it is random.
	options := append(producerTLS(*useTLS),
		producer.WithNsResolver(primitive.NewPassthroughResolver(strings.Split(*names, ";"))),
		producer.WithGroupName(*group),
		producer.WithCredentials(primitive.Credentials{AccessKey: *user, SecretKey: *password}),
		producer.WithQueueSelector(producer.NewHashQueueSelector()),
		producer.WithSendMsgTimeout(10*time.Second),
	)
	if hasTransactions(*plan) {
		return transact(options, corpus{*topic, *seed}, *plan, *first, *linger)
	}
	made, err := rocketmq.NewProducer(options...)
	if err != nil {
		return err
	}
	if err := made.Start(); err != nil {
		return err
	}
	say("started", line{})
	s := sender{made, corpus{*topic, *seed}}
	i := *first
	for _, part := range strings.Split(*plan, ",") {
		mode, number, _ := strings.Cut(part, ":")
		count, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		if err := s.sendPart(mode, i, i+count); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
		i += count
	}
	return made.Shutdown()
}

func (s sender) sendPart(mode string, first int, end int) error {
	switch mode {
	case "async":
		return s.sendTogether(first, end)
	case "batch":
		return s.sendBatches(first, end)
	}
	for i := first; i < end; i++ {
		if err := s.sendOne(mode, i); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	return nil
}

func (s sender) sendOne(mode string, i int) error {
	message := s.corpus.message(i)
	switch mode {
	case "oneway":
		say("sent", line{"mode": mode, "i": i, "count": 1})
		return s.producer.SendOneWay(context.Background(), message)
	case "ordered":
		message.WithShardingKey(strconv.Itoa(i % shards))
	case "delayed":
		message.WithDelayTimeLevel(1)
	}
	result, err := s.producer.SendSync(context.Background(), message)
	if err == nil {
		report(mode, i, 1, result)
	}
	return err
}

func (s sender) sendTogether(first int, end int) error {
	var answers sync.WaitGroup
	free := make(chan struct{}, inFlight)
	failures := make(chan error, end-first)
	for i := first; i < end; i++ {
		free <- struct{}{}
		answers.Add(1)
		number := i
		answered := func(_ context.Context, result *primitive.SendResult, err error) {
			if err != nil {
				failures <- fmt.Errorf("message %d: %w", number, err)
			} else {
				report("async", number, 1, result)
			}
			<-free
			answers.Done()
		}
		if err := s.producer.SendAsync(context.Background(), answered, s.corpus.message(i)); err != nil {
			return err
		}
	}
	answers.Wait()
	close(failures)
	return <-failures
}

func (s sender) sendBatches(first int, end int) error {
	for i := first; i < end; {
		var batch []*primitive.Message
		size := 0
		start := i
		for i < end && len(batch) < batchLength {
			message := s.corpus.message(i)
			size += len(message.Body)
			if len(batch) > 0 && size > batchBytes {
				break
			}
			batch = append(batch, message)
			i++
		}
		result, err := s.producer.SendSync(context.Background(), batch...)
		if err != nil {
			return fmt.Errorf("batch at %d: %w", start, err)
		}
		report("batch", start, len(batch), result)
	}
	return nil
}

func report(mode string, first int, count int, result *primitive.SendResult) {
	say("sent", line{
		"mode":        mode,
		"i":           first,
		"count":       count,
		"status":      statuses[result.Status],
		"msgId":       result.MsgID,
		"offsetMsgId": result.OffsetMsgID,
		"broker":      result.MessageQueue.BrokerName,
		"queueId":     result.MessageQueue.QueueId,
		"queueOffset": result.QueueOffset,
	})
}
