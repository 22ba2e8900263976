/** Before the tests of the report page in a browser: a Chromium, from Debian where packages may be installed. */
import { aptInstall, mayUseApt } from '../../modules/lab/install.ts';
import { shell } from '../../modules/shell/shell.ts';
import { chromium } from './browser.ts';

export default async function setup(): Promise<void> {
  if (chromium() !== undefined || !mayUseApt()) return;
  process.stderr.write('installing chromium with apt-get …\n');
  await aptInstall(shell, ['chromium', 'fonts-dejavu-core']);
}
