package main

import (
	"context"
	"flag"
	"strings"
	"time"

	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// manage makes a topic, tells what the servers know (event "known"), deletes the topic,
// and tells it again. Its options are namesrv, broker (an address) and topic.
func manage(flags *flag.FlagSet, words []string) error {
	names := flags.String("namesrv", "", "name server")
	broker := flags.String("broker", "", "address of a broker")
	topic := flags.String("topic", "", "topic")
	flags.Parse(words)
	resolver := primitive.NewPassthroughResolver(strings.Split(*names, ";"))
	made, err := admin.NewAdmin(admin.WithResolver(resolver))
	if err != nil {
		return err
	}
	ctx := context.Background()
	err = made.CreateTopic(
		ctx,
		admin.WithTopicCreate(*topic),
		admin.WithBrokerAddrCreate(*broker),
		admin.WithReadQueueNums(3),
		admin.WithWriteQueueNums(3),
	)
	if err != nil {
		return err
	}
	queues, err := made.FetchPublishMessageQueues(ctx, *topic)
	if err != nil {
		return err
	}
	groups, err := made.GetAllSubscriptionGroup(ctx, *broker, 5*time.Second)
	if err != nil {
		return err
	}
	topics, err := made.FetchAllTopicList(ctx)
	if err != nil {
		return err
	}
	groupNames := []string{}
	for group := range groups.SubscriptionGroupTable {
		groupNames = append(groupNames, group)
	}
	say("known", line{"queues": len(queues), "groups": groupNames, "topics": topics.TopicList})
	err = made.DeleteTopic(ctx, admin.WithTopicDelete(*topic), admin.WithBrokerAddrDelete(*broker))
	if err != nil {
		return err
	}
	topics, err = made.FetchAllTopicList(ctx)
	if err != nil {
		return err
	}
	say("known", line{"topics": topics.TopicList})
	return made.Close()
}
