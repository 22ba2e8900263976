/** The names of tasks on a real cluster: Mesos-DNS on the masters is asked from inside the tasks, over SSH to their agents. */
import { randomInt } from 'node:crypto';
import { queryOf, readAnswer } from '../names/message.ts';
import { taskName } from '../names/task.ts';
import { ports } from '../node/members.ts';
import type { NameAnswer, NameQuestion, Names, NameServer } from '../verify/target.ts';
import type { Agent } from './agent.ts';

/** Mesos-DNS looks for tasks every five seconds in the kit's settings, and has to read what Mesos says. */
const settleMs = 8_000;

/** `called`: the name of a task in Mesos; undefined for one that does not run. `agent`: of the host of a task. */
export function namesOver(
  servers: readonly NameServer[],
  called: (task: string) => string | undefined,
  agent: (task: string) => Agent,
): Names {
  const ask = async ({ from, server, name }: NameQuestion, timeoutMs: number): Promise<NameAnswer> => {
    const id = randomInt(0x1_0000);
    const told = await agent(from).ask(from, server.address, ports.dns, queryOf(id, name), timeoutMs);
    if (told.kind !== 'answer') return told;
    const answer = readAnswer(told.bytes);
    if (answer?.id !== id || answer.name !== name) return { kind: 'broken', note: 'what came is no answer to this' };
    return { kind: 'answer', code: answer.code, addresses: answer.addresses };
  };
  return {
    settleMs,
    servers: () => Promise.resolve(servers),
    nameOf: (task) => taskName(called(task) ?? task),
    ask: (questions, timeoutMs) => Promise.all(questions.map((one) => ask(one, timeoutMs))),
  };
}
