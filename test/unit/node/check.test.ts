/**
 * Our verdicts on cloud-configs beside those of coreos-cloudinit -validate (CoreOS v1.14.0 of 2018 and Flatcar's of May
 * 2026), as they were observed; the program itself cannot be had where the tests run.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { checkCloudConfig, cloudTells } from '../../../modules/node/check/cloud-config.ts';
import { cloudConfig } from '../../../modules/node/cloud-config.ts';
import { planned } from './planned.ts';

const codes = (text: string, tells = cloudTells): string[] =>
  checkCloudConfig('user-data.yaml', text, tells).map(({ code }) => code);
const config = (yaml: string): string => `#cloud-config\n${yaml}\n`;
const unit = (lines: string): string => config(`coreos:\n  units:\n    - name: a.service\n      ${lines}`);
const file = (lines: string): string => config(`write_files:\n  - path: /etc/a\n    content: b\n    ${lines}`);

const packed = gzipSync('hello\n').toString('base64');
const typical = config(`hostname: master-1
ssh_authorized_keys: [ssh-ed25519 AAAA test]
manage_etc_hosts: localhost
users:
  - name: ops
    groups: [docker, sudo]
    no_create_home: true
    ssh_authorized_keys: [ssh-ed25519 AAAA test]
write_files:
  - path: /etc/plain
    permissions: "0644"
    owner: root:root
    content: |
      plain
  - path: /etc/packed
    encoding: gzip+base64
    content: ${packed}
coreos:
  update: { reboot_strategy: "off", group: stable, server: "https://updates.example.com/" }
  locksmith: { window_start: "Thu 04:00", window_length: 1h30m, endpoint: "http://10.0.0.16:2379" }
  flannel: { interface: eth0, etcd_endpoints: "http://10.0.0.16:2379" }
  units:
    - name: docker.service
      drop_ins:
        - name: 10-x.conf
          content: |
            [Service]
            Environment=A=b
    - name: a@1.service
      runtime: true
      command: try-restart
      content: |
        [Service]
        ExecStart=/bin/true`);

test('every key that coreos-cloudinit has and Flatcar still serves is taken', () => {
  const strings = (keys: string): string =>
    `{ ${keys
      .split(' ')
      .map((key) => `${key}: a`)
      .join(', ')} }`;
  const etcd = 'etcd_cafile etcd_certfile etcd_keyfile etcd_username etcd_password';
  const user = strings('name passwd gecos homedir primary_group shell').slice(0, -1);
  const flags = 'no_create_home: true, no_user_group: true, system: true, no_log_init: false';
  const whole = config(`users: [${user}, ${flags}, groups: [a], ssh_authorized_keys: [a] }]
coreos:
  update: { reboot_strategy: etcd-lock, group: a, server: a }
  locksmith: ${strings(`endpoint group ${etcd}`)}
  flannel: ${strings(`etcd_endpoints etcd_prefix ip_masq subnet_file interface public_ip ${etcd}`)}
  units: [{ name: a.service, enable: false, mask: false, runtime: true, command: reload-or-try-restart, content: a }]`);
  expect(codes(whole)).toEqual([]);
});

/** What the real program was seen to do with an input, and what we say of it. */
const observed: readonly (readonly [input: string, text: string, reference: string, ours: readonly string[]])[] = [
  ['a typical file', typical, 'fine', []],
  ['an unknown key at the top', config('runcmd: [ls]'), 'unrecognized key', ['unknown-key']],
  ['an unknown key of coreos', config('coreos: { bogus: 1 }'), 'unrecognized key', ['unknown-key']],
  ['an unknown key of a unit', unit('enabled: true'), 'unrecognized key', ['unknown-key']],
  ['coreos.etcd2', config('coreos: { etcd2: { name: a } }'), 'deprecated key', ['forbidden-key']],
  ['coreos.fleet', config('coreos: { fleet: { metadata: a } }'), 'deprecated key', ['forbidden-key']],
  ['dashed write-files', config('write-files: []'), 'fine, and Flatcar writes no file', ['dashed-key']],
  [
    'dashed reboot-strategy',
    config('coreos: { update: { reboot-strategy: "off" } }'),
    'fine, and Flatcar sets no strategy',
    ['dashed-key'],
  ],
  ['dashed drop-ins', unit('drop-ins: []'), 'fine, and Flatcar writes no drop-in', ['dashed-key']],
  [
    'reboot_strategy: best-effort',
    config('coreos: { update: { reboot_strategy: best-effort } }'),
    'invalid value',
    ['bad-value'],
  ],
  ['command: launch', unit('command: launch'), 'invalid value', ['bad-value']],
  ['permissions: "rwx"', file('permissions: "rwx"'), 'invalid value', ['bad-value']],
  [
    'a path under /usr',
    config('write_files: [{ path: /usr/local/bin/a, content: b }]'),
    'read-only filesystem',
    ['read-only-path'],
  ],
  ['enable: "yes", a string', unit('enable: "yes"'), 'incorrect type', ['wrong-type']],
  ['groups: docker, no list', config('users: [{ name: a, groups: docker }]'), 'incorrect type', ['wrong-type']],
  ['a key twice', config('hostname: a\nhostname: b'), 'fails on Flatcar, fine in 2018', ['duplicate-key']],
  ['coreos: with nothing', config('coreos:'), 'fails', ['wrong-type']],
  ['another first line', '# cloud-config\nhostname: a\n', 'must be "#cloud-config"', ['not-cloud-config']],
  ['blanks behind the first line', '#cloud-config \nhostname: a\n', 'fine', ['not-cloud-config']],
  ['off without quotes', config('coreos: { update: { reboot_strategy: off } }'), 'fine: "off"', ['wrong-type']],
  ['0644 without quotes', file('permissions: 0644'), 'fine: "0644"', ['wrong-type']],
  ['an empty file', '', 'fine, unchecked', ['not-cloud-config']],
  ['a script', '#!/bin/sh\nls\n', 'fine, unchecked', ['not-cloud-config']],
  ['Ignition', '{"ignition":{"version":"3.3.0"}}\n', 'fine, unchecked', ['not-cloud-config']],
  ['MIME', 'Content-Type: multipart/mixed; boundary="x"\n', 'fine, unchecked', ['not-cloud-config']],
];

for (const [input, text, reference, ours] of observed) {
  test(`${input}: coreos-cloudinit says ${reference}, we say ${ours.join() || 'fine'}`, () => {
    expect(codes(text)).toEqual(ours);
  });
}

describe('beyond what coreos-cloudinit says, refused is', () => {
  test.each([
    ['a file without content', config('write_files: [{ path: /etc/a }]'), 'missing-key'],
    ['a relative path', config('write_files: [{ path: etc/a, content: b }]'), 'bad-value'],
    ['a path with dots', config('write_files: [{ path: /etc/../usr/a, content: b }]'), 'bad-path'],
    ['a path that is a folder', config('write_files: [{ path: /etc/a/, content: b }]'), 'bad-path'],
    [
      'a file for the second time',
      config('write_files: [{ path: /a, content: b }, { path: /a, content: c }]'),
      'twice',
    ],
    [
      'content that is not of its encoding',
      file('encoding: base64').replace('content: b', 'content: "?"'),
      'not-encoded',
    ],
    ['content that does not unpack', file('encoding: gzip+base64'), 'not-encoded'],
    ['an unknown encoding', file('encoding: zip'), 'bad-value'],
    ['a drop-in that systemd would not read', unit('drop_ins: [{ name: 10-a, content: b }]'), 'bad-value'],
    ['a unit without a suffix', config('coreos: { units: [{ name: docker }] }'), 'bad-value'],
    ['a unit for the second time', config('coreos: { units: [{ name: a.service }, { name: a.service }] }'), 'twice'],
    [
      'a unit that is enabled without [Install]',
      unit('enable: true\n      content: "[Service]"'),
      'enabled-without-install',
    ],
    ['a unit that is masked and enabled', unit('mask: true\n      enable: true'), 'masked-and-used'],
    ['a unit that is masked and started', unit('mask: true\n      command: start'), 'masked-and-used'],
    ['coreos.oem', config('coreos: { oem: { id: a } }'), 'forbidden-key'],
    ['keys that come from elsewhere', config('users: [{ name: a, coreos_ssh_import_github: b }]'), 'forbidden-key'],
    ['a host name that would be cut', config('hostname: a.example.com'), 'bad-value'],
    ['a window that is no time', config('coreos: { locksmith: { window_start: "25:00" } }'), 'bad-value'],
    ['a tab between a key and its value', config('hostname:\ta'), 'tab'],
    ['a control character', config('hostname: "\u0007"'), 'control-character'],
    ['a line separator, which libyaml takes for the end of a line', config('hostname: "\u2028"'), 'control-character'],
    ['YAML that is none', config('hostname: ['), 'bad-yaml'],
    ['a public address on a machine that may have none', file('owner: $public_ipv4'), 'empty-substitution'],
  ])('%s', (_, text, code) => {
    expect(codes(text)).toContain(code);
  });

  test('an address that the platform does not tell, unless it is escaped', () => {
    const text = (name: string) => config(`write_files: [{ path: /etc/a, content: 'IP=${name}' }]`);
    expect(codes(text('$private_ipv4'))).toEqual([]);
    expect(codes(text('$private_ipv4'), [])).toEqual(['empty-substitution']);
    expect(codes(text('\\$private_ipv4'), [])).toEqual([]);
  });
});

test('tabs in the lines of a script are the script’s own business', () => {
  expect(codes(config('write_files:\n  - path: /a\n    content: |\n      if x\n      \ty\n'))).toEqual([]);
});

test('a dashed key is told by name, by line, and with what to write instead', () => {
  const text = cloudConfig(planned()).replace('drop_ins:', 'drop-ins:');
  const [problem, ...more] = checkCloudConfig('general/user-data.yaml', text, cloudTells);
  expect(more).toEqual([]);
  expect(problem).toEqual({
    code: 'dashed-key',
    at: {
      file: 'general/user-data.yaml',
      line: text.split('\n').findIndex((line) => line.includes('drop-ins')) + 1,
      column: 7,
      path: 'coreos.units.1.drop-ins',
    },
    what: 'coreos.units.1.drop-ins: written with dashes it means nothing; write drop_ins.',
    rule: 'since 3975 Flatcar ignores dashed keys without a word, and coreos-cloudinit -validate calls them valid.',
  });
});

test('every problem is told at once, from the top to the bottom', () => {
  const text = config('hostnam: a\nwrite_files:\n  - path: a\n    content: b\n    mode: "0644"\ncoreos:\n  etcd2: {}');
  expect(checkCloudConfig('x', text, cloudTells).map(({ code, at }) => [code, at?.line])).toEqual([
    ['unknown-key', 2],
    ['bad-value', 4],
    ['unknown-key', 6],
    ['forbidden-key', 8],
  ]);
});
