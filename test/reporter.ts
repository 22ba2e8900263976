/** The last line of a test run, in plain words, and the rule that no test is skipped without a reason. */
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

export default class ClosingLine implements Reporter {
  /** With `-t` the rest is left out on purpose. */
  #chosen = false;

  onInit(vitest: Vitest): void {
    this.#chosen = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
    const left = tests.filter((test) => test.result().state === 'skipped' && reason(test) === undefined);
    const silent = this.#chosen ? [] : left;
    for (const test of silent) {
      process.stdout.write(`\nskipped without a reason: ${test.module.moduleId}: ${test.fullName}\n`);
      process.stdout.write("  say why: test('…', ({ skip }) => skip('why it cannot run here'))\n");
    }
    for (const test of tests) {
      const why = reason(test);
      if (why !== undefined) process.stdout.write(`\nskipped: ${test.fullName}: ${why}\n`);
    }
    // A file that could not even be read has no test that failed.
    const unread = modules.filter((module) => !module.ok() && module.children.allTests('failed').next().done === true);
    const failed = count('failed') + silent.length + unread.length + errors.length;
    process.stdout.write(
      `\n${count('passed')} passed, ${failed} failed, ${count('skipped') - silent.length} skipped\n`,
    );
    if (failed > 0 || tests.length === 0) process.exitCode = 1;
  }
}

function reason(test: TestCase): string | undefined {
  const result = test.result();
  return result.state === 'skipped' ? result.note : undefined;
}
