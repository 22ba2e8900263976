/** Before all tests that need a lab: the compiled programs, and the programs that the lab is made of. */
import { execFileSync } from 'node:child_process';
import { aptInstall, install, mayInstall, mayUseApt } from '../../modules/lab/install.ts';
import { checkMachine } from '../../modules/lab/up.ts';
import { isRoot } from '../../modules/lab/permission.ts';
import { root } from '../../modules/root/root.ts';
import { shell, which } from '../../modules/shell/shell.ts';

export default async function setup(): Promise<void> {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  // The engines' tests need root, and are no tests without it.
  const docker = isRoot();
  if (mayInstall(docker)) {
    process.stderr.write('installing what the lab needs with apt-get …\n');
    await install(shell, docker);
  }
  // A ping that runs while policy changes (live.test.ts); the lab's own prober sends a new one each time.
  if (which('ping') === undefined && mayUseApt()) await aptInstall(shell, ['iputils-ping']);
  // Throws with every missing program or forbidden namespace: a lab test that cannot run is no passed test.
  await checkMachine(shell);
}
