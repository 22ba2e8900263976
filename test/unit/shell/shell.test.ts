import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CommandFailed, must, searchPath, shell, signalCode, which } from '../../../modules/shell/shell.ts';

const sh = (script: string, options = {}) => shell.run(['sh', '-c', script], options);

describe('a program that is run', () => {
  test('gives its exit code and both its outputs', async () => {
    expect(await sh('echo out; echo err >&2; exit 3')).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  test('gets its words as they are: no shell reads them', async () => {
    const words = ['a b', '$HOME', "'", '"', '`x`', '*', '\\', ''];
    const { stdout } = await shell.run(['printf', '%s|', ...words]);
    expect(stdout).toBe(words.map((word) => `${word}|`).join(''));
  });

  test('gets its input, megabytes of it, and need not read it', async () => {
    const input = 'x'.repeat(3 << 20);
    expect((await shell.run(['wc', '-c'], { input })).stdout.trim()).toBe(String(3 << 20));
    expect(await sh('exit 4', { input })).toMatchObject({ code: 4 });
    expect(await shell.run(['true'], { input })).toMatchObject({ code: 0 });
  });

  test('reads nothing where it was given nothing', async () => {
    expect(await shell.run(['cat'], { timeoutMs: 10_000 })).toMatchObject({ code: 0, stdout: '' });
  });

  test('that does not exist is a failure, not an exception', async () => {
    const { code, stderr } = await shell.run(['no-such-program-anywhere']);
    expect(code).toBe(127);
    expect(stderr).toContain('no-such-program-anywhere');
  });

  test('that a signal ends has no exit code', async () => {
    expect(await sh('kill -TERM $$')).toMatchObject({ code: null });
  });

  test('keeps letters whole that arrive in two pieces', async () => {
    const { stdout } = await sh(`printf '\\303'; sleep 0.1; printf '\\266'`);
    expect(stdout).toBe('ö');
  });

  test('has the environment that it is given on top of ours', async () => {
    expect((await sh('echo $OURS$THEIRS', { env: { OURS: 'a', THEIRS: 'b' } })).stdout).toBe('ab\n');
  });

  test('may leave something running that holds its output: nobody waits for that', async () => {
    const begin = performance.now();
    expect(await sh('sleep 20 & echo done')).toMatchObject({ code: 0, stdout: 'done\n' });
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});

describe('a time-out', () => {
  test('kills the program and says so', async () => {
    const begin = performance.now();
    const { code, stdout, stderr } = await sh('echo begun; sleep 30', { timeoutMs: 300 });
    expect(code).toBeNull();
    expect(stdout).toBe('begun\n');
    expect(stderr).toContain('killed after 300 ms');
    expect(performance.now() - begin).toBeLessThan(15_000);
  });

  test('kills what the program started, too', async () => {
    const { stdout } = await sh('sleep 30 | sleep 30 & echo $!; wait', { timeoutMs: 300 });
    const gone = (): boolean => {
      try {
        // A zombie has ended; only nobody has asked for its exit code.
        return readFileSync(`/proc/${stdout.trim()}/stat`, 'utf8').includes(' Z ');
      } catch {
        return true;
      }
    };
    await expect.poll(gone).toBe(true);
  });

  test('works where there is no program to list processes', async () => {
    expect(await shell.run(['/bin/sleep', '30'], { timeoutMs: 200, env: { PATH: '/nonexistent' } })).toMatchObject({
      code: null,
      stderr: '\nkilled after 200 ms',
    });
  });

  test('that is not reached says nothing', async () => {
    expect(await sh('exit 0', { timeoutMs: 20_000 })).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('must', () => {
  test('gives what the program said', async () => {
    expect(await must(shell, ['echo', 'yes'])).toBe('yes\n');
  });

  test('throws with the command, how it ended, and the end of what it said', async () => {
    const script = 'for n in 1 2 3 4 5 6 7 8; do echo line $n >&2; done; exit 2';
    const failed = must(shell, ['sh', '-c', script]);
    await expect(failed).rejects.toThrow(CommandFailed);
    await expect(failed).rejects.toThrow(/ended with 2: line 4\nline 5\nline 6\nline 7\nline 8$/);
    await expect(must(shell, ['sh', '-c', 'kill -9 $$'])).rejects.toThrow('ended with a signal');
  });
});

describe('a program is looked for', () => {
  const path = process.env['PATH'];
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mesos-calico-path-'));
    writeFileSync(join(folder, 'tool'), '#!/bin/sh\necho found\n');
    chmodSync(join(folder, 'tool'), 0o755);
    writeFileSync(join(folder, 'text'), 'no program');
    mkdirSync(join(folder, 'folder'));
  });
  afterEach(() => {
    process.env['PATH'] = path;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("in PATH, and in the administrators' folders that PATH may lack", async () => {
    process.env['PATH'] = folder;
    expect(searchPath().split(':')).toEqual([folder, '/usr/local/sbin', '/usr/sbin', '/sbin']);
    expect(which('tool')).toBe(join(folder, 'tool'));
    expect(await shell.run(['tool'])).toMatchObject({ stdout: 'found\n' });
    process.env['PATH'] = `/usr/sbin:${folder}`;
    expect(searchPath().split(':')).toEqual(['/usr/sbin', folder, '/usr/local/sbin', '/sbin']);
  });

  test('and neither a folder nor a file that cannot be run is one', () => {
    process.env['PATH'] = folder;
    expect(which('folder')).toBeUndefined();
    expect(which('text')).toBeUndefined();
    expect(which('nothing')).toBeUndefined();
  });
});

test('the exit code of a signal is the one that a shell gives', () => {
  expect([signalCode('SIGINT'), signalCode('SIGKILL'), signalCode('SIGTERM')]).toEqual([130, 137, 143]);
});
