/**
 * The plan of a host with a package manager as one script, which carries its files and asks of each step whether it is
 * done: run twice it changes nothing, cut short and run again it finishes. What it does stands in templates/host/engine.sh;
 * here is only what differs from node to node.
 */
import type { DownloadSpec, FirewallPlan, HostPlan, PackageSpec } from './host.ts';
import type { Repository } from '../release/host-os.ts';
import type { NodePlan, PlannedFile } from './plan.ts';

/** A step of the script: its name for people, and the commands that it is made of. */
interface Step {
  readonly name: string;
  readonly commands: readonly string[];
}

/** @throws Error for a plan of machines that boot from a payload. */
export function script(plan: NodePlan): string {
  const { host, group } = plan;
  if (host === undefined) throw new Error(`${group.name} boots from a payload`);
  const steps = stepsOf(plan, host);
  const functions = steps.map(({ commands }, index) => `step_${index + 1}() {\n${commands.join('\n')}\n}\n`);
  const numbers = steps.map(({ name }, index) => ({ name, call: `step_${index + 1}` }));
  const looked = (what: RegExp) =>
    numbers.flatMap(({ call }, index) => (steps[index]!.commands.some((each) => what.test(each)) ? [call] : []));
  return [
    '#!/bin/bash',
    `# The node ${group.name} (${group.role}) of the cluster ${host.cluster}, for ${host.os.name}. Run it as root; --help says more.`,
    'set -euo pipefail',
    '',
    ...settings(plan, host),
    '',
    host.engine,
    '# --- what this node gets ----------------------------------------------------------------------------------------------',
    '',
    ...functions,
    // Files and packages are looked at before anything is changed.
    `every_file() {\n${indent(looked(/^(file|(theirs=\S+ )?merged) /))}\n}`,
    `every_package() {\n${indent(looked(/^package /))}\n}`,
    `services=(${host.services.map(word).join(' ')})`,
    '',
    'main() {',
    '  words "$@"',
    '  begin',
    '  if [[ $uninstalling == yes ]]; then',
    '    ((EUID == 0)) || fail "only root can take it off"',
    '    uninstall',
    '    exit 0',
    '  fi',
    `  run ${["'this host' look", ...numbers.map(({ name, call }) => `${word(name)} ${call}`)].join(' \\\n    ')}`,
    '  finish',
    '}',
    'main "$@"',
    '',
  ].join('\n');
}

const settings = ({ group }: NodePlan, { cluster, os, address, upgrade }: HostPlan): readonly string[] => [
  `node=${word(group.name)} cluster=${word(cluster)} address=${word(address)}`,
  `os=${word(os.name)} family=${os.family} major=${os.major} manager=${os.manager} python=${os.python}`,
  `upgrade=${upgrade ? 'yes' : 'no'}`,
  // The repositories of the image that are gone fail every call.
  `only=(${os.gone.map((name) => `--disablerepo=${name}`).join(' ')})`,
];

function stepsOf(plan: NodePlan, host: HostPlan): readonly Step[] {
  const { packages, downloads, os } = host;
  const agents = plan.agents.filter((agent) => agent !== 'base');
  const tools = packages.filter(({ name }) => isTool(host, name));
  const others = distinct(packages.filter(({ name, file }) => !isTool(host, name) && file === undefined));
  const fromFiles = distinct(packages.filter(({ file }) => file !== undefined));
  return [
    { name: 'what every node has', commands: filesOf(plan, 'base') },
    ...step('repositories', repositoryFiles(host)),
    ...step('tools', [...distinct(tools).map(packageLine), 'settle_packages']),
    ...agents.flatMap((agent) => step(`files of ${agent}`, filesOf(plan, agent))),
    { name: 'units', commands: unitFiles(plan) },
    ...step('packages', others.length === 0 ? [] : [...others.map(packageLine), 'settle_packages']),
    ...step('downloads', downloads.map(downloadLine)),
    ...step(
      'packages from files',
      fromFiles.map(
        ({ name, file, hold }) => `package_file ${words(name, file!.url, file!.sha256 ?? '-')} ${hold ? 'hold' : "''"}`,
      ),
    ),
    ...step('packages held', packages.some(({ hold }) => hold) ? ['hold_packages'] : []),
    { name: 'kernel', commands: kernel(plan) },
    ...step('SELinux', os.selinux === undefined ? [] : exceptions(os.major)),
    ...step('firewall', firewallLines(host.firewall)),
    { name: 'services', commands: ['start_services "${services[@]}"', 'await_services "${services[@]}"'] },
  ];
}

const step = (name: string, commands: readonly string[]): readonly Step[] =>
  commands.length === 0 ? [] : [{ name, commands }];

export const isTool = ({ os }: HostPlan, name: string): boolean =>
  [...os.tools, os.hold, os.selinux?.package].includes(name);

/** Two agents may want one package. */
export const distinct = (all: readonly PackageSpec[]): readonly PackageSpec[] => [
  ...new Map(all.map((each) => [each.name, each])).values(),
];

const packageLine = ({ name, version = '', hold }: PackageSpec): string =>
  `package ${word(name)} ${word(version)} ${hold ? 'hold' : "''"}`;

const downloadLine = ({ what, url, sha256, kind, target, members = [] }: DownloadSpec): string =>
  `download ${words(what, url, sha256 ?? '-', kind, target, ...members)}`;

const filesOf = ({ files }: NodePlan, of: string): readonly string[] =>
  files.filter(({ agent }) => agent === of).map((each) => fileLines(each));

function fileLines({ path, mode, content, merge, restarts = [] }: PlannedFile): string {
  const bits = mode.toString(8);
  if (merge === undefined) return `file ${words(path, bits, ...restarts)} ${here(content)}`;
  const more =
    merge.kind === 'json'
      ? [...merge.must, ...merge.together.map((keys) => keys.join('+'))]
      : Object.entries(merge.instead).map(([ours, theirs]) => `${ours}=${theirs}`);
  const before = merge.kind === 'list' && merge.theirs !== undefined ? `theirs=${word(merge.theirs)} ` : '';
  return `${before}merged ${words(path, bits, restarts.join(' '), merge.kind, ...more)} ${here(content)}`;
}

/** Units and drop-ins, each with the unit that starts anew for it. */
const unitFiles = ({ units }: NodePlan): readonly string[] =>
  units.flatMap(({ name, content, dropIns }) => {
    const again = name.endsWith('.target') ? ['daemon-reload'] : ['daemon-reload', name];
    return [
      ...(content === undefined
        ? []
        : [`file ${words(`/etc/systemd/system/${name}`, '644', ...again)} ${here(content)}`]),
      ...dropIns.map(
        (each) => `file ${words(`/etc/systemd/system/${name}.d/${each.name}`, '644', ...again)} ${here(each.content)}`,
      ),
    ];
  });

const repositoryFiles = ({ repositories, os }: HostPlan): readonly string[] =>
  repositories.map((each) => {
    if (os.manager === 'apt') throw new Error(`${os.name} has no repositories of its own here`);
    return `file ${words(repositoryPath(each), '644')} ${here(repositoryText(each))}`;
  });

export const repositoryPath = ({ id }: Repository): string => `/etc/yum.repos.d/${id}.repo`;
export const repositoryText = ({ id, title, url, key }: Repository): string =>
  [`[${id}]`, `name=${title}`, `baseurl=${url}`, 'enabled=1', 'gpgcheck=1', `gpgkey=${key}`, ''].join('\n');

/** The modules and settings of the two files that systemd reads at boot, now. */
function kernel({ files }: NodePlan): readonly string[] {
  const lines = (start: string) =>
    files
      .filter(({ path }) => path.startsWith(start))
      .flatMap(({ content }) => content.split('\n'))
      .filter((line) => line !== '');
  return [
    ...lines('/etc/modules-load.d/').map((name) => `module ${word(name)}`),
    ...lines('/etc/sysctl.d/').map((line) => {
      const [key = '', value = ''] = line.split(' = ');
      return `setting ${words(key, value)}`;
    }),
  ];
}

/** Scripts of ours are started by systemd; sandboxes are seen by the containers of tasks. */
export const exceptions = (major: string): readonly string[] => [
  `fcontext bin_t ${word('/opt/mesos-calico(/.*)?')}`,
  `fcontext ${major === '7' ? 'svirt_sandbox_file_t' : 'container_file_t'} ${word('/var/lib/mesos(/.*)?')}`,
];

function firewallLines({ mode, sources, gates, policies }: FirewallPlan): readonly string[] {
  if (mode === 'leave') return [];
  if (mode === 'mask') return ['mask_firewall'];
  const zones = [...new Set(gates.map(({ zone }) => zone))];
  return [
    'if [[ $mode == look ]] || ! firewall_running; then return; fi',
    ...zones.map((zone) => `zone ${zone}`),
    ...zones.flatMap((zone) =>
      zone === 'mesos-tasks'
        ? ['cali+', 'tunl0'].map((name) => `interface_of ${zone} ${word(name)}`)
        : sources[zone].map((source) => `source_of ${zone} ${word(source)}`),
    ),
    ...gates.map(({ zone, open }) => `gate ${zone} ${word(open)}`),
    ...(policies ? ['passing mesos-tasks-in ANY mesos-tasks', 'passing mesos-tasks-out mesos-tasks ANY'] : []),
    'reload_firewall',
  ];
}

const indent = (calls: readonly string[]): string =>
  (calls.length === 0 ? ['true'] : calls).map((call) => `  ${call}`).join('\n');

const words = (...all: readonly string[]): string => all.map(word).join(' ');

/** A word that bash takes as it is. */
export const word = (text: string): string =>
  /^[\w.,:/@=+%-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** A text as the input of a command: as it reads where it is lines, in base64 where it is anything else. */
export function here(text: string): string {
  let end = 'END';
  while (text.split('\n').includes(end)) end += '_';
  if (/^(?:[^\0\r]*\n)?$/.test(text)) return `<<'${end}'\n${text}${end}`;
  const base64 = Buffer.from(text)
    .toString('base64')
    .replace(/.{1,120}/g, '$&\n');
  return `< <(base64 --decode <<'END'\n${base64}END\n)`;
}
