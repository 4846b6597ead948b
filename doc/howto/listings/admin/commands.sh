rocketmq-admin cluster status
rocketmq-admin topic create orders --queues 4
rocketmq-admin topic list
rocketmq-admin message send orders '{"paid": true}' --tag paid --key order-7
rocketmq-admin message find orders --key order-7
rocketmq-admin message find orders --since 10m-ago --json
rocketmq-admin topic stats orders --watch 0.1 --times 2
rocketmq-admin group create billing --max-retries 5
rocketmq-admin group lag billing
rocketmq-admin group reset billing --topic orders --to 2h-ago --dry-run
rocketmq-admin group reset billing --topic orders --to earliest --yes
rocketmq-admin dlq list
rocketmq-admin topic show no-such-topic || test $? = 1
rocketmq-admin doctor --wait 0.1 || test $? = 1
rocketmq-admin topic delete orders --yes
