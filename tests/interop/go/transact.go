package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// verdicts decides local transactions: by the mode of their send, or, when a broker asks, always by a commit.
type verdicts struct {
	state primitive.LocalTransactionState
}

var states = map[string]primitive.LocalTransactionState{
	"commit":   primitive.CommitMessageState,
	"rollback": primitive.RollbackMessageState,
	// The third state, which is spelt in another way by each release.
	"check": primitive.RollbackMessageState + 1,
}

func (v *verdicts) ExecuteLocalTransaction(*primitive.Message) primitive.LocalTransactionState {
	return v.state
}

func (v *verdicts) CheckLocalTransaction(message *primitive.MessageExt) primitive.LocalTransactionState {
	i, _ := strconv.Atoi(message.GetProperty("i"))
	say("checked", line{"i": i})
	return primitive.CommitMessageState
}

// hasTransactions says whether the first part of a plan is one of transactions.
func hasTransactions(plan string) bool {
	mode, _, _ := strings.Cut(plan, ":")
	_, found := states[mode]
	return found
}

// transact runs a plan such as "commit:10,rollback:10,check:1", and lingers to be asked.
func transact(options []producer.Option, c corpus, plan string, first int, linger int) error {
	says := &verdicts{}
	made, err := rocketmq.NewTransactionProducer(says, options...)
	if err != nil {
		return err
	}
	if err := made.Start(); err != nil {
		return err
	}
	say("started", line{})
	i := first
	for _, part := range strings.Split(plan, ",") {
		mode, number, _ := strings.Cut(part, ":")
		count, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		says.state = states[mode]
		for end := i + count; i < end; i++ {
			result, err := made.SendMessageInTransaction(context.Background(), c.message(i))
			if err != nil {
				return fmt.Errorf("message %d: %w", i, err)
			}
			report(mode, i, 1, result.SendResult)
		}
	}
	time.Sleep(time.Duration(linger) * time.Second)
	return made.Shutdown()
}
