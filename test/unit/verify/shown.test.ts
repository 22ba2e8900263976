import { expect, test } from 'vitest';
import { html } from '../../../modules/report/html.ts';
import { json } from '../../../modules/report/json.ts';
import { junit } from '../../../modules/report/junit.ts';
import { styleOf } from '../../../modules/report/style.ts';
import { stepText, summaryText } from '../../../modules/report/terminal.ts';
import { FakeTarget, fails, isolated, oneWay, run, smallCluster } from './fake.ts';

const reports = [
  ['no machine left', () => run(new FakeTarget({ launch: () => fails('no machine left') }))],
  ['nothing to probe', () => run(new FakeTarget(), [isolated], smallCluster({ networks: {} }))],
  ['the prober hangs', () => run(new FakeTarget({ batch: () => fails('the prober hangs') }), [isolated, oneWay])],
] as const;

for (const [why, make] of reports) {
  test(`a run that could not look can be shown in every form, with the reason, and never as passed: ${why}`, async () => {
    const report = await make();
    const style = styleOf(process.stdout, { NO_COLOR: '1' });
    expect(stepText(report, 0, style, report.steps.length)).toContain(why);
    expect(summaryText(report, style)).toContain('could not find out');
    expect(html(report)).toContain('could not find out');
    expect(JSON.parse(json(report))).toMatchObject({ outcome: 'infrastructure-broken' });
    expect(junit(report)).toMatch(/<(error|failure)/);
  });
}
