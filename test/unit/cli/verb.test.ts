import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { call, type Verb } from '../../../modules/cli/verb.ts';
import { exit, Refusal, type ExitCode } from '../../../modules/problem/problem.ts';

const options = {
  name: { type: 'string', value: 'LAB', help: 'the name' },
  'dry-run': { type: 'boolean', help: 'only say it' },
  json: { type: 'boolean', help: 'as JSON' },
} as const;

function verb(run: Verb<typeof options>['run'] = () => exit.fine): Verb<typeof options> {
  return { name: 'npm run thing', usage: 'WORD… [--json]', help: '\nDoes the thing.\n', options, run };
}

let out = '';
let err = '';
beforeEach(() => {
  out = '';
  err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
  vi.unstubAllEnvs();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const run = (argv: string[], body?: Verb<typeof options>['run']): Promise<ExitCode> => call(verb(body), argv);

describe('help', () => {
  test.each([['--help'], ['-h']])('%s goes to standard output, names every option, and is fine', async (flag) => {
    expect(await run([flag, 'word'])).toBe(0);
    expect(out).toBe(
      [
        'npm run thing WORD… [--json]',
        '',
        'Does the thing.',
        '',
        '  --name LAB  the name',
        '  --dry-run   only say it',
        '  --json      as JSON',
        '  --help      print this',
        '',
      ].join('\n'),
    );
    expect(err).toBe('');
  });

  test('behind -- is the business of the command there', async () => {
    const seen: unknown[] = [];
    expect(await run(['word', '--', 'ls', '--help'], (one) => (seen.push(one.words, one.rest), exit.fine))).toBe(0);
    expect(seen).toEqual([['word'], ['ls', '--help']]);
    expect(out).toBe('');
  });
});

test('words and options reach the verb, and its exit code comes back', async () => {
  const code = await run(['a', '--name=x', '--dry-run', 'b'], ({ words, options: own, rest }) => {
    expect(words).toEqual(['a', 'b']);
    expect({ ...own }).toEqual({ name: 'x', 'dry-run': true });
    expect(rest).toEqual([]);
    return exit.no;
  });
  expect(code).toBe(1);
});

test('options that npm kept to itself are found, and one that was typed behind -- outranks them', async () => {
  vi.stubEnv('npm_config_name', 'from-npm');
  vi.stubEnv('npm_config_dry_run', 'true');
  await run([], ({ options: own }) => {
    expect({ ...own }).toEqual({ name: 'from-npm', 'dry-run': true });
    return exit.fine;
  });
  await run(['--name', 'typed'], ({ options: own }) => {
    expect(own.name).toBe('typed');
    return exit.fine;
  });
});

test("npm's own settings confirm nothing: an option that must be typed is taken from the command line only", async () => {
  vi.stubEnv('npm_config_yes', 'true');
  const careful = { ...options, yes: { type: 'boolean', help: 'do it', explicit: true } } as const;
  const confirmed = async (argv: string[]): Promise<boolean | undefined> => {
    let seen: boolean | undefined;
    const body = { name: 'npm run thing', usage: '', help: 'x', options: careful };
    await call({ ...body, run: ({ options: own }) => ((seen = own.yes), exit.fine) }, argv);
    return seen;
  };
  expect(await confirmed([])).toBeUndefined();
  expect(await confirmed(['--yes'])).toBe(true);
});

describe('a wrong option', () => {
  test.each([
    [['--nmae', 'x'], 'Did you mean --name?'],
    [['--dryrun'], 'Did you mean --dry-run?'],
    [['--zzzzzzzz'], "Unknown option '--zzzzzzzz'"],
    [['--name'], '--name'],
    [['--json=yes'], '--json'],
  ])('%j is refused with exit code 2, on standard error, with the usage', async (argv, text) => {
    expect(await run(argv)).toBe(2);
    expect(err).toContain(text);
    expect(err).toContain('Rule: npm run thing WORD…');
    expect(err).toContain('[usage]');
    expect(out).toBe('');
  });

  test('that is like none is not explained by one', async () => {
    await run(['--zzzzzzzz']);
    expect(err).not.toContain('Did you mean');
  });
});

describe('a refusal', () => {
  const refuse = (code?: ExitCode) => (): never => {
    throw new Refusal(
      [
        { code: 'bad', what: 'It is bad.' },
        { code: 'worse', what: 'It is worse.' },
      ],
      code,
    );
  };

  test.each([
    [undefined, 2],
    [exit.unknown, 3],
  ])('of code %s ends with %i, one line a problem on standard error', async (given, code) => {
    expect(await run([], refuse(given))).toBe(code);
    expect(err).toBe('It is bad. [bad]\nIt is worse. [worse]\n');
    expect(out).toBe('');
  });

  test('goes to standard output as JSON where a program reads', async () => {
    expect(await run(['--json'], refuse())).toBe(2);
    expect(JSON.parse(out)).toEqual({
      problems: [
        { code: 'bad', what: 'It is bad.' },
        { code: 'worse', what: 'It is worse.' },
      ],
    });
    expect(err).toBe('');
  });

  test('goes to standard output as JSON when the mistake is in the options themselves', async () => {
    expect(await run(['--json', '--nmae=x'])).toBe(2);
    expect((JSON.parse(out) as { problems: { code: string }[] }).problems[0]!.code).toBe('usage');
  });

  test('counts too when it is only the reason of another failure', async () => {
    const code = await run([], () => {
      const reason = new Refusal([{ code: 'lab-failed', what: 'The lab went away.' }], exit.unknown);
      throw new Error('could not probe', { cause: new Error('between', { cause: reason }) });
    });
    expect(code).toBe(3);
    expect(err).toBe('The lab went away. [lab-failed]\n');
  });
});

test.each([['thrown'], ['rejected']])(
  'a bug that is %s is called one, with its stack, and ends with 3',
  async (how) => {
    const code = await run([], () => {
      const bug = new TypeError('x is not a function');
      if (how === 'thrown') throw bug;
      return Promise.reject(bug);
    });
    expect(code).toBe(3);
    expect(err).toContain('npm run thing: this is a bug of mesos-calico, not a fault of yours.');
    expect(err).toMatch(/TypeError: x is not a function\n +at /);
    expect(out).toBe('');
  },
);

describe('a verb that takes one word', () => {
  const single = { ...verb(() => exit.fine), most: 1 };

  test('takes none and one', async () => {
    expect(await call(single, [])).toBe(exit.fine);
    expect(await call(single, ['lab'])).toBe(exit.fine);
  });

  test('refuses a second, and names it', async () => {
    expect(await call(single, ['lab', 'extra'])).toBe(exit.badInput);
    expect(err).toContain('"extra" is one word too many.');
  });
});
