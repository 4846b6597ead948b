'use strict';

// Send the corpus with the Node client: "--plan sync:200,async:800". Options: namesrv,
// topic, group, seed, plan, from (the first number).

const { Producer } = require('ali-ons');
const { message } = require('./corpus');
const { client, options, run, say } = require('./lines');

const IN_FLIGHT = 100;

function report(mode, i, result) {
  say('sent', {
    mode,
    i,
    count: 1,
    status: result.sendStatus,
    // The client sets no unique key, so that the id it is told is the broker's.
    offsetMsgId: result.msgId,
    broker: result.messageQueue.brokerName,
    // The client passes on the text of the answer's header.
    queueId: Number(result.messageQueue.queueId),
    queueOffset: result.queueOffset,
  });
}

async function sendPart(producer, make, mode, first, end) {
  const step = mode === 'async' ? IN_FLIGHT : 1;
  for (let i = first; i < end; i += step) {
    const sends = [];
    for (let number = i; number < Math.min(i + step, end); number++) {
      const made = make(number);
      if (mode === 'delayed') {
        made.delayTimeLevel = 1;
      }
      sends.push(producer.send(made).then(result => report(mode, number, result)));
    }
    await Promise.all(sends);
  }
}

run(async () => {
  const given = options({ group: 'interop_producer', seed: 's', from: '0' });
  const producer = new Producer({ producerGroup: given.group, ...client(given) });
  producer.on('error', error => console.error(error));
  await producer.ready();
  say('started');
  const make = i => message(given.topic, given.seed, i);
  let first = Number(given.from);
  for (const part of given.plan.split(',')) {
    const [mode, count] = part.split(':');
    await sendPart(producer, make, mode, first, first + Number(count));
    first += Number(count);
  }
  await producer.close();
});
