/**
 * Asks name servers from inside a task's network namespace, each question from a port of its own, and prints what came as
 * JSON, in the order of the questions: the answers travel over the lab's own pipes.
 *
 *     resolve.js TIMEOUT-MS QUESTIONS    [[server, port, name], …] as JSON
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { queryOf, readAnswer } from '../names/message.ts';
import type { NameAnswer } from '../verify/target.ts';

const [timeoutMs = '', questions = '[]'] = process.argv.slice(2);

function ask([server, port, name]: readonly [string, number, string]): Promise<NameAnswer> {
  const socket = createSocket('udp4');
  return new Promise<NameAnswer>((resolve) => {
    const id = randomInt(0x1_0000);
    setTimeout(() => resolve({ kind: 'silence' }), Number(timeoutMs));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? { kind: 'refused' } : { kind: 'broken', note: error.message }),
    );
    // A connected socket hears nobody but the server.
    socket.on('message', (bytes) => {
      const answer = readAnswer(bytes);
      if (answer?.id === id && answer.name === name)
        resolve({ kind: 'answer', code: answer.code, addresses: answer.addresses });
    });
    socket.connect(port, server, () => socket.send(queryOf(id, name)));
  }).finally(() => socket.close());
}

const all = JSON.parse(questions) as [string, number, string][];
process.stdout.write(JSON.stringify(await Promise.all(all.map(ask))), () => process.exit());
