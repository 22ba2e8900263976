/**
 * The name server of a master of the lab, in the place of Mesos-DNS: answers for the tasks that run, over UDP, and knows
 * nobody else. Where Mesos-DNS asks the Mesos master every five seconds, this one reads what the lab wrote last.
 *
 *     names.js ADDRESS PORT FILE    the file: addresses by name, as JSON
 */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { answerOf, readQuery } from '../names/message.ts';

const [address = '', port = '', file = ''] = process.argv.slice(2);

const server = createSocket('udp4');
server.on('message', (bytes, from) => {
  const query = readQuery(bytes);
  if (query === undefined) return;
  const known = new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>));
  const found = known.get(query.name);
  server.send(answerOf(query, found === undefined ? undefined : [found]), from.port, from.address);
});
// Who asked may be gone; that ends no server.
server.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  if ('syscall' in error && error.syscall === 'bind') process.exit(1);
});
server.bind(Number(port), address);
