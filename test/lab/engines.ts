/** Where the tests of Docker engines in the lab run: as root with Docker 20.10; with CI=true everywhere, or they fail. */
import type { TestContext } from 'vitest';
import { engineHere } from '../../modules/lab/docker/need.ts';
import { shell } from '../../modules/shell/shell.ts';

const found = process.env['CI'] === 'true' ? '' : await engineHere(shell);

/** Whether there are engines, or their absence is to be a failure. */
export const engines = typeof found === 'string';

export const needEngines = ({ skip }: Pick<TestContext, 'skip'>): void => {
  if (typeof found !== 'string') skip(found.map(({ what }) => what).join(' '));
};
