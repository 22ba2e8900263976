import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { config } from '../../../modules/hosts/config.ts';
import { hostsOf, type Host, type Login } from '../../../modules/hosts/login.ts';
import { majority, unwinding, waves } from '../../../modules/hosts/order.ts';
import { agentFault, lacking } from '../../../modules/hosts/rejoin.ts';
import { command, input, read } from '../../../modules/hosts/wire.ts';
import { cluster } from './cluster.ts';

const host = (name: string): Host => ({
  node: {
    name,
    role: name.startsWith('m') ? 'master' : 'agent',
    pool: 'x',
    containerizers: [],
    address: undefined,
    zone: undefined,
  },
  login: {} as Login,
});
const three = ['m1', 'm2', 'm3', 'a1', 'a2'].map(host);
const names = (all: readonly (readonly Host[])[]) =>
  all.map((wave) => wave.map(({ node }) => node.name).join('+')).join(' ');

describe('the order', () => {
  test.each([
    ['masters that do not run come up together', [], 'm1+m2+m3 a1 a2'],
    ['masters that run are taken one at a time', ['m1', 'm2', 'm3'], 'm1 m2 m3 a1 a2'],
    ['one that does not run comes before those that do', ['m1', 'm2'], 'm3 m1 m2 a1 a2'],
  ])('%s', (_, running, expected) => {
    expect(names(waves(three, new Set(running)))).toBe(expected);
  });

  test('taking off goes the other way', () => expect(names(unwinding(three))).toBe('a2 a1 m3 m2 m1'));

  test('everybody has a turn, once, and no two agents at a time', () => {
    const some = fc.subarray(three, { minLength: 1 });
    fc.assert(
      fc.property(some, fc.subarray(['m1', 'm2', 'm3']), (hosts, running) => {
        const all = waves(hosts, new Set(running));
        expect(
          all
            .flat()
            .map(({ node }) => node.name)
            .sort(),
        ).toEqual(hosts.map(({ node }) => node.name).sort());
        for (const wave of all)
          if (wave.length > 1) expect(wave.every(({ node }) => node.role === 'master')).toBe(true);
      }),
    );
  });

  test.each([
    [1, 1],
    [3, 2],
    [5, 3],
  ])('%i members decide with %i', (members, needed) => expect(majority(members)).toBe(needed));
});

describe('logins', () => {
  test('a machine overrides what is said for all; key files of the bastion are those of the hosts', () => {
    const of = cluster(
      '    ssh: { user: centos, key: ~/k, bastion: { address: gate.example.com, user: jump } }',
      (text) =>
        text.replace(
          'address: 10.0.0.22, role: agent',
          'address: 10.0.0.22, role: agent, ssh: { address: a2.example.com, port: 2222, user: root }',
        ),
    );
    const [, a1, a2] = hostsOf(of).map(({ login }) => login);
    expect(a1).toMatchObject({
      address: '10.0.0.21',
      user: 'centos',
      port: 22,
      key: '~/k',
      bastion: { user: 'jump', port: 22, key: '~/k' },
    });
    expect(a2).toMatchObject({ address: 'a2.example.com', user: 'root', port: 2222, key: '~/k' });
  });

  test('the settings of ssh check host keys, on the bastion too, and lend nothing out', () => {
    const login: Login = {
      name: 'a1',
      address: '10.0.0.21',
      user: 'u',
      port: 22,
      key: undefined,
      knownHosts: undefined,
      file: 'x',
      bastion: { address: 'gate', user: 'j', port: 2222, key: '/k y' },
    };
    const text = config(login, {
      knownHosts: '/a "b"/100%',
      socket: '/s',
      acceptNew: false,
      bastionAcceptNew: false,
      key: undefined,
      bastionKey: '/k y',
      include: ['/home/u/.ssh/config'],
    });
    expect(text).toContain('ProxyJump j@gate:2222');
    expect(text).toContain('IdentityFile "/k y"');
    expect(text).toContain('UserKnownHostsFile "/a \\"b\\"/100%%"');
    for (const setting of [
      'StrictHostKeyChecking yes',
      'BatchMode yes',
      'ForwardAgent no',
      'UpdateHostKeys no',
      'VerifyHostKeyDNS no',
    ])
      expect(text).toContain(setting);
    expect(text).not.toContain('accept-new');
    expect(text.indexOf('Include')).toBeGreaterThan(text.indexOf('StrictHostKeyChecking yes'));
  });
});

describe('the wire', () => {
  test('what stands between the marks is the answer, whatever a login shell says around it', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.integer({ min: 0, max: 255 }), (motd, answer, code) => {
        fc.pre(!motd.includes('mc1') && !answer.includes('mc1'));
        expect(read('mc1', `${motd}\nmc1 begin\n${answer}\nmc1 end ${code}\n`)).toEqual({
          begun: true,
          code,
          stdout: answer,
        });
      }),
    );
  });

  test.each([
    ['never begun', 'motd\n', { begun: false, code: undefined, stdout: '' }],
    ['begun and cut short', 'mc1 begin\nhalf', { begun: true, code: undefined, stdout: 'half' }],
    ['ended before it began: sudo said no', '\nmc1 end 1\n', { begun: false, code: 1, stdout: '' }],
  ])('%s', (_, stdout, expected) => expect(read('mc1', stdout)).toEqual(expected));

  test('only plain words are options', () => {
    expect(() => input('m', 'true', ['--uninstall'])).not.toThrow();
    for (const word of ['$(id)', 'a b', '', "'", ';']) expect(() => input('m', 'true', [word])).toThrow();
  });

  test('the command holds nothing that a shell could take for its own', () => {
    expect(command('mc0', true, '#!/bin/bash\n')).toBe(`sh -c 'sudo -n bash -s; printf "\\n%s end %d\\n" mc0 $?'`);
    expect(command('mc0', false, 'true')).toMatch(/^sh -c 'sh -s;/);
  });
});

describe('whether an agent has rejoined', () => {
  const agent = (address: string, active: boolean) => ({ pid: `slave(1)@${address}:5051`, active });
  test.each([
    ['it is active', JSON.stringify({ slaves: [agent('10.0.0.21', true)] }), undefined],
    [
      'it is listed twice, once active',
      JSON.stringify({ slaves: [agent('10.0.0.21', false), agent('10.0.0.21', true)] }),
      undefined,
    ],
    ['it is not active', JSON.stringify({ slaves: [agent('10.0.0.21', false)] }), 'it is listed, and not active'],
    ['another of a longer address is', JSON.stringify({ slaves: [agent('10.0.0.210', true)] }), 'it is not listed'],
    ['nobody is listed', '{"slaves":[]}', 'it is not listed'],
    ['the master wants a password', 'HTTP 401 Unauthorized', 'no list, but "HTTP 401 Unauthorized"'],
    ['the master says nothing', '', 'no answer'],
    ['the master says something else', '{"agents":[]}', 'a list without agents'],
  ])('%s', (_, answer, expected) => expect(agentFault(answer, '10.0.0.21')).toBe(expected));

  test('what does not run is named', () => {
    expect(lacking('calico-node=up\nbgp=down\n')).toEqual(['bgp (down)']);
    expect(lacking('calico-node=up\nbgp=up\n')).toEqual([]);
  });
});
