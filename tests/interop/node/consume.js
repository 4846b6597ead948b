'use strict';

// A push consumer that prints every message until standard input ends; the command
// "assignment" prints the queues held now. Options: namesrv, topic, group, expression,
// refuse (each message whose number it divides is sent back once).

const readline = require('readline');
const { Consumer } = require('ali-ons');
const { sha256 } = require('./corpus');
const { client, options, run, say } = require('./lines');

function sayMessage(message, brokerName) {
  say('message', {
    topic: message.topic,
    broker: brokerName,
    queueId: message.queueId,
    queueOffset: message.queueOffset,
    commitLogOffset: message.commitLogOffset,
    msgId: message.properties.UNIQ_KEY || message.msgId,
    tags: message.tags,
    keys: message.keys,
    properties: message.properties,
    reconsumeTimes: message.reconsumeTimes,
    bornHost: message.bornHost,
    size: message.body.length,
    digest: sha256(message.body).toString('hex'),
  });
}

function sayAssignment(consumer) {
  const queues = [];
  for (const { messageQueue } of consumer.processQueueTable.values()) {
    queues.push([messageQueue.topic, messageQueue.brokerName, messageQueue.queueId]);
  }
  say('assignment', { queues });
}

run(async () => {
  const given = options({ expression: '*', refuse: '0' });
  const refuse = Number(given.refuse);
  const consumer = new Consumer({
    consumerGroup: given.group,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    rebalanceInterval: 1000,
    ...client(given),
  });
  consumer.on('error', error => console.error(error));
  consumer.subscribe(given.topic, given.expression, async (message, queue) => {
    const i = Number(message.properties.i);
    if (refuse && i % refuse === 0 && !message.reconsumeTimes) {
      say('refused', { i });
      return Consumer.ACTION_RETRY;
    }
    // The client names no queue for a message that comes again.
    sayMessage(message, queue ? queue.brokerName : null);
  });
  await consumer.ready();
  say('started');
  const commands = readline.createInterface({ input: process.stdin });
  commands.on('line', () => sayAssignment(consumer));
  await new Promise(resolve => commands.on('close', resolve));
  await consumer.close();
});
