/** What AWS and GCE share: machines that run Flatcar Container Linux. */
import Type from 'typebox';
import { oneOf } from './words.ts';

export const egress = oneOf(['public', 'nat', 'none'], {
  description:
    'How machines reach the internet: `public` addresses of their own, `nat`, or `none` (then a mirror inside is needed). Only for a network that the kit creates.',
  default: 'public',
  examples: ['nat'],
});

export const flatcar = {
  os: Type.Optional(
    oneOf(['flatcar-stable', 'flatcar-beta', 'flatcar-alpha', 'flatcar-lts'], {
      description:
        'The operating system. flatcar-lts (LTS-2024) is the last that can boot with cgroup v1, and only with `boot: ignition`.',
      'x-default': 'flatcar-lts; flatcar-stable with a Mesos that knows cgroup v2 (clusterd)',
      examples: ['flatcar-stable'],
    }),
  ),
  boot: Type.Optional(
    oneOf(['cloud-config', 'ignition'], {
      description:
        'The form of the boot payload. cloud-config is what the CoreOS guides used and Flatcar still reads; Ignition runs before the root file system is used.',
      'x-default': 'cloud-config; ignition when os is flatcar-lts',
      examples: ['ignition'],
    }),
  ),
  cgroup: Type.Optional(
    oneOf(['v1', 'v2'], {
      description: 'The cgroup version that the machines boot with. To be said only for an image of your own.',
      'x-default': 'v2; v1 when os is flatcar-lts and boot is ignition',
      examples: ['v2'],
    }),
  ),
};
