/** The names of the lab's tasks as the verifier asks for them: a program in the namespace of each task that asks. */
import { taskName } from '../names/task.ts';
import { ports } from '../node/members.ts';
import { compiled } from '../root/root.ts';
import type { NameAnswer, NameQuestion, Names } from '../verify/target.ts';
import { asked } from './asked.ts';
import type { Lab } from './lab.ts';

const program = compiled('modules/lab/resolve.ts');
/** Programs at one time. */
const atOnce = 8;
/** On top of the time-out of a question, milliseconds. */
const graceMs = 20_000;

export const namesOf = ({ call }: Pick<Lab, 'call'>): Names => ({
  settleMs: 0,
  servers: () =>
    asked(async () =>
      (await call('layout', {})).topology.hosts.flatMap(({ name, role, address }) =>
        role === 'master' ? [{ node: name, address }] : [],
      ),
    ),
  nameOf: (task) => taskName(task),
  ask: (questions, timeoutMs) =>
    asked(async () => {
      const answers: NameAnswer[] = [];
      const by = new Map<string, number[]>();
      for (const [index, { from }] of questions.entries()) by.set(from, [...(by.get(from) ?? []), index]);
      const waiting = [...by];
      const worker = async (): Promise<void> => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          const [task, indexes] = next;
          const own = indexes.map((index) => questions[index]!);
          const told = await resolve(call, task, own, timeoutMs);
          for (const [at, index] of indexes.entries()) answers[index] = told[at]!;
        }
      };
      await Promise.all(Array.from({ length: atOnce }, worker));
      return answers;
    }),
});

async function resolve(
  call: Lab['call'],
  namespace: string,
  questions: readonly NameQuestion[],
  timeoutMs: number,
): Promise<NameAnswer[]> {
  const words = questions.map(({ server, name }) => [server.address, ports.dns, name]);
  const command = [process.execPath, program, String(timeoutMs), JSON.stringify(words)];
  const { code, stdout, stderr } = await call('exec', { namespace, command, timeoutMs: timeoutMs + graceMs });
  if (code === 0) return JSON.parse(stdout) as NameAnswer[];
  const note = `the program that asks ended with ${code}: ${stderr.trim()}`;
  return questions.map(() => ({ kind: 'broken', note }));
}
