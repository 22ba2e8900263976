/**
 * One end of a TCP connection between two tasks that is held open: a program of its own in the task's namespace, which
 * is told what to do over a socket in the lab's folder.
 *
 *     answer SOCKET PORT         says everything back
 *     call SOCKET ADDRESS PORT   connects; for each word `ask` it says something, and tells whether that came back
 *     tell SOCKET WORD           hands a word to one of them (`ask`, `end`), and prints what it says
 *
 * What nobody asks any more ends by itself.
 */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds: without a word, for the other end, for a socket that is about to be there. */
const limits = { idle: 120_000, answer: 2_000, socket: 10_000 };

const [deed = '', socket = '', ...words] = process.argv.slice(2);

/** Answers each word on the socket; ends with the word `end`. */
function obey(answer: () => Promise<string>): void {
  let idle = setTimeout(() => process.exit(), limits.idle);
  const server = createServer((one) => {
    one.on('error', () => undefined).setEncoding('utf8');
    one.once('data', (word: string) => {
      clearTimeout(idle);
      idle = setTimeout(() => process.exit(), limits.idle);
      if (word.trim() === 'end') one.end('ended', () => process.exit());
      else void answer().then((text) => one.end(text));
    });
  });
  server.listen(socket);
}

async function asks(flow: Socket, text: string): Promise<string> {
  const back = new Promise<boolean>((done) => {
    let said = '';
    const hear = (chunk: string): void => {
      said += chunk;
      if (said.includes(text)) finish(true);
    };
    const finish = (came: boolean): void => {
      clearTimeout(timer);
      flow.off('data', hear);
      done(came);
    };
    const timer = setTimeout(() => finish(false), limits.answer);
    flow.on('data', hear);
  });
  flow.write(text);
  return (await back) ? 'yes' : 'no';
}

/** The socket may not be there yet. */
async function tell(word: string): Promise<string> {
  const deadline = performance.now() + limits.socket;
  for (;;) {
    try {
      return await new Promise<string>((done, fail) => {
        let said = '';
        const one = connect(socket, () => one.write(`${word}\n`)).setEncoding('utf8');
        one.on('data', (chunk: string) => (said += chunk));
        one.on('error', fail);
        one.on('end', () => done(said));
      });
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(20);
    }
  }
}

switch (deed) {
  case 'answer':
    createServer((one) => one.on('error', () => undefined).pipe(one)).listen(Number(words[0]), () =>
      obey(() => Promise.resolve('yes')),
    );
    break;
  case 'call': {
    let count = 0;
    const flow = connect(Number(words[1]), words[0]).setEncoding('utf8');
    flow.on('error', () => undefined);
    flow.once('connect', () => obey(() => asks(flow, `${++count};`)));
    setTimeout(() => flow.connecting && process.exit(1), limits.socket);
    break;
  }
  case 'tell':
    process.stdout.write(await tell(words[0] ?? ''));
    break;
  default:
    throw new TypeError(`what is ${deed}?`);
}
