/**
 * The plan of a host as a guide for a person who types every step: the same packages, files, settings and units as in the
 * script (shell.ts), as blocks of shell to paste. Pure.
 */
import type { HostPlan, PackageSpec } from './host.ts';
import type { NodePlan, PlannedFile } from './plan.ts';
import { distinct, exceptions, here, isTool, repositoryPath, repositoryText, word } from './shell.ts';

/** Markdown: a heading per node, and its steps. @throws Error for a plan of machines that boot from a payload. */
export function guide(plans: readonly NodePlan[]): string {
  return plans.map((plan) => node(plan)).join('\n');
}

/** The text of a page with what stands between each pair of its markers made anew: `make` is told what the marker names. */
export function regenerated(page: string, make: (what: string) => string): string {
  return page.replaceAll(
    /^(<!-- generated: (.+) -->\n)(?:[\s\S]*?)^(<!-- end of generated -->\n)/gm,
    (_, start: string, what: string, end: string) => `${start}\n${make(what)}\n${end}`,
  );
}

function node(plan: NodePlan): string {
  const { group, host } = plan;
  if (host === undefined) throw new Error(`${group.name} boots from a payload`);
  const steps = [
    repositories(host),
    packages(host),
    files(plan),
    units(plan),
    downloads(host),
    hold(host),
    kernel(),
    selinux(host),
    firewall(host),
    services(plan, host),
    checks(plan, host),
  ].filter((each) => each !== undefined);
  const numbered = steps.map(({ title, lines }, index) => `${index + 1}. ${title}\n\n${lines.join('\n\n')}\n`);
  return [
    `#### ${group.role === 'master' ? 'Master' : 'Agent'} ${group.name}, ${host.address}, ${host.os.name}\n`,
    'As root, in bash, in this order.\n',
    ...numbered.map((each) => each.replace(/^\d+\. (.*)$/m, '**$&**')),
  ].join('\n');
}

interface Step {
  readonly title: string;
  readonly lines: readonly string[];
}

const block = (...lines: readonly string[]): string => `\`\`\`sh\n${lines.join('\n')}\n\`\`\``;
const shown = (...lines: readonly string[]): string => `\`\`\`text\n${lines.join('\n')}\n\`\`\``;

/** Long files fold. */
const folded = (title: string, text: string): string =>
  text.split('\n').length <= 14 ? text : `<details><summary>${title}</summary>\n\n${text}\n\n</details>`;

function put(path: string, mode: number, content: string): string {
  const lines = [
    `mkdir -p ${word(path.slice(0, path.lastIndexOf('/')))}`,
    `cat >${word(path)} ${here(content)}`,
    `chmod ${mode.toString(8)} ${word(path)}`,
  ];
  return folded(path, block(...lines));
}

function repositories({ repositories: all }: HostPlan): Step | undefined {
  if (all.length === 0) return undefined;
  return { title: 'Repositories', lines: all.map((each) => put(repositoryPath(each), 0o644, repositoryText(each))) };
}

const withVersion = (manager: string, { name, version }: PackageSpec): string =>
  word(version === undefined ? name : manager === 'apt' ? `${name}=${version}*` : `${name}-${version}`);

const manage = ({ os: { manager, gone } }: HostPlan, verb: string, names: readonly string[]): string =>
  manager === 'apt'
    ? `apt-get --yes --no-install-recommends ${verb} ${names.join(' ')}`
    : [manager, '--assumeyes', ...gone.map((name) => `--disablerepo=${name}`), verb, ...names].join(' ');

function packages(host: HostPlan): Step {
  const plain = distinct(host.packages.filter(({ file }) => file === undefined));
  const [tools, others] = [true, false].map((yes) => plain.filter(({ name }) => isTool(host, name) === yes));
  const lines = [tools, others].flatMap((some = []) =>
    some.length === 0
      ? []
      : [
          block(
            manage(
              host,
              'install',
              some.map((each) => withVersion(host.os.manager, each)),
            ),
          ),
        ],
  );
  return { title: 'Packages', lines: [...(host.os.manager === 'apt' ? quiet : []), ...lines] };
}

/** Debian starts services as it unpacks them: before their settings are there, and ours before the network's are. */
const policy = '/usr/sbin/policy-rc.d';
const quiet: readonly string[] = [
  'Debian starts services as it unpacks them. Until all is in its place, it shall not:',
  block(`printf '#!/bin/sh\\nexit 101\\n' >${policy}`, `chmod 755 ${policy}`),
  block('apt-get update'),
];

function files({ files: all }: NodePlan): Step {
  return { title: 'Files', lines: all.flatMap((file) => [...beside(file), put(file.path, file.mode, file.content)]) };
}

/** What a person has to know of a file that may be there already. */
function beside({ path, merge }: PlannedFile): readonly string[] {
  if (merge === undefined) return [];
  if (merge.kind === 'json') return [`Where \`${path}\` is there already, put these keys into it instead:`];
  const instead = Object.entries(merge.instead).map(([ours, theirs]) => `\`${ours}\` in place of \`${theirs}\``);
  const but = instead.length === 0 ? '' : ` (${instead.join(', ')})`;
  return [`Where \`${path}\` is there already, add these words to its list, and keep the others${but}:`];
}

function units({ units: all }: NodePlan): Step {
  const lines = all.flatMap(({ name, content, dropIns }) => [
    ...(content === undefined ? [] : [put(`/etc/systemd/system/${name}`, 0o644, content)]),
    ...dropIns.map((each) => put(`/etc/systemd/system/${name}.d/${each.name}`, 0o644, each.content)),
  ]);
  return { title: 'Units', lines: [...lines, block('systemctl daemon-reload')] };
}

function downloads(host: HostPlan): Step | undefined {
  const loads = host.downloads.map(({ url, sha256, kind, target, members = [] }) =>
    ['/opt/mesos-calico/fetch', url, sha256 ?? '-', kind, target, ...members].map(word).join(' '),
  );
  const fromFiles = distinct(host.packages.filter(({ file }) => file !== undefined)).flatMap(({ file }) => {
    const path = `/var/lib/mesos-calico/packages/${file!.url.slice(file!.url.lastIndexOf('/') + 1)}`;
    return [
      ['/opt/mesos-calico/fetch', file!.url, file!.sha256 ?? '-', 'file', path].map(word).join(' '),
      manage(host, 'install', [word(path)]),
    ];
  });
  if (loads.length + fromFiles.length === 0) return undefined;
  const said = 'A `-` stands for a SHA-256 that is not known: what comes is taken as it is.';
  return { title: 'Downloads', lines: [said, block(...loads, ...fromFiles)] };
}

function hold(host: HostPlan): Step | undefined {
  const names = [...new Set(host.packages.filter((each) => each.hold).map(({ name }) => name))];
  if (names.length === 0) return undefined;
  const { manager } = host.os;
  return {
    title: 'No upgrade of the system takes these along',
    lines: [block(manager === 'apt' ? `apt-mark hold ${names.join(' ')}` : manage(host, 'versionlock add', names))],
  };
}

const kernel = (): Step => ({
  title: 'Kernel modules and settings, now and at every boot',
  lines: [block('systemctl restart kernel.service')],
});

function selinux({ os }: HostPlan): Step | undefined {
  if (os.selinux === undefined) return undefined;
  const lines = exceptions(os.major).map((each) =>
    each.replace(/^fcontext (\S+)/, 'semanage fcontext --add --type $1'),
  );
  return {
    title: 'SELinux stays enforcing; these are the exceptions',
    lines: [
      block(...lines, 'mkdir -p /opt/mesos-calico /var/lib/mesos', 'restorecon -R /opt/mesos-calico /var/lib/mesos'),
    ],
  };
}

function firewall({ firewall: { mode, sources, gates, policies } }: HostPlan): Step | undefined {
  if (mode === 'leave') return undefined;
  if (mode === 'mask') return { title: 'firewalld', lines: [block('systemctl mask --now firewalld.service')] };
  const zones = [...new Set(gates.map(({ zone }) => zone))];
  const say = (...words: readonly string[]): string => ['firewall-cmd', '--permanent', ...words].map(word).join(' ');
  const lines = [
    ...zones.map((zone) => say(`--new-zone=${zone}`)),
    ...zones.flatMap((zone) =>
      zone === 'mesos-tasks'
        ? ['cali+', 'tunl0'].map((name) => say(`--zone=${zone}`, `--add-interface=${name}`))
        : sources[zone].map((source) => say(`--zone=${zone}`, `--add-source=${source}`)),
    ),
    ...gates.map(({ zone, open }) =>
      say(`--zone=${zone}`, `--add-${open.includes('/') ? 'port' : 'protocol'}=${open}`),
    ),
    ...(policies
      ? [...passing('mesos-tasks-in', 'ANY', 'mesos-tasks'), ...passing('mesos-tasks-out', 'mesos-tasks', 'ANY')]
      : []),
    'firewall-cmd --reload',
  ];
  return { title: 'firewalld, where it runs', lines: [folded('firewall-cmd', block(...lines))] };
}

const passing = (name: string, from: string, to: string): readonly string[] => [
  `firewall-cmd --permanent --new-policy=${name}`,
  `firewall-cmd --permanent --policy=${name} --add-ingress-zone=${from} --add-egress-zone=${to} --set-target=ACCEPT`,
];

function services({ units: all, files: written }: NodePlan, { services: names, os }: HostPlan): Step {
  const masked = all.flatMap(({ name, mask }) => (mask ? [name] : []));
  const others = new Set(written.flatMap(({ restarts = [] }) => restarts.filter((unit) => !names.includes(unit))));
  return {
    title: 'Services',
    lines: [
      'They wait for each other, and for the other nodes, by themselves.',
      block(
        ...(os.manager === 'apt' ? [`rm ${policy}`] : []),
        ...(masked.length === 0 ? [] : [`systemctl mask ${masked.join(' ')}`]),
        `systemctl enable ${names.join(' ')}`,
        `systemctl start --no-block ${names.join(' ')}`,
      ),
      ...[...others].flatMap((unit) => [
        `Where ${unit} runs, it has to know what is new:`,
        block(`if systemctl is-active --quiet ${unit}; then systemctl reload-or-restart ${unit}; fi`),
      ]),
    ],
  };
}

function checks({ files: all, group }: NodePlan, { services: names, address }: HostPlan): Step {
  const settings = all
    .filter(({ path }) => path.startsWith('/etc/sysctl.d/'))
    .flatMap(({ content }) => content.split('\n').filter((line) => /^[\w.]+ = /.test(line)));
  const pages: readonly (readonly [string, string, string])[] = [
    ['mesos-master.service', `http://${address}:5050/health`, '200'],
    ['marathon.service', `http://${address}:8080/ping`, '200'],
    ['mesos-slave.service', `http://${address}:5051/health`, '200'],
  ];
  const http = pages.filter(([unit]) => names.includes(unit));
  return {
    title: 'Checks, with the expected output',
    lines: [
      block(`systemctl is-active ${names.join(' ')}`),
      shown(...names.map(() => 'active')),
      block(`sysctl ${settings.map((line) => line.split(' ')[0]).join(' ')}`),
      shown(...settings),
      ...http.flatMap(([, url, code]) => [block(`curl -s -o /dev/null -w '%{http_code}\\n' ${url}`), shown(code)]),
      ...(group.role === 'master'
        ? []
        : ['A route for every other host that has tasks, `via` its address:', block('ip route show proto bird')]),
    ],
  };
}
