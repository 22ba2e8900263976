/** What every node has: its own address, downloads, proxy, authorities, the guard of the metadata and of etcd. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { masterAddresses } from '../../../modules/node/members.ts';
import { envLine, unitWord } from '../../../modules/node/quote.ts';
import { shell, which } from '../../../modules/shell/shell.ts';
import { templates } from '../../../modules/template/read.ts';
import { inNetwork, noNetwork, Root } from './machine.ts';
import { cluster, file, kinds, plans, readLate, said, unit, words } from './planned.ts';

const script = (name: string): string => templates().get(`base/${name}.sh`)!;

let root: Root;
beforeEach(() => {
  root = new Root();
});
afterEach(() => {
  rmSync(root.folder, { recursive: true, force: true });
});

describe('the address of a node', () => {
  test('is written where the plan knows it', () => {
    const planned = plans(cluster('aws'));
    expect(file(planned.get('master-2'), '/etc/mesos-calico/host.env')).toBe('HOST_IP=10.0.32.17\n');
    expect(said(unit(planned.get('master-2'), 'host-address.service'), 'ExecStart')).toEqual([
      '/opt/mesos-calico/host-address',
    ]);
  });

  test('is left to coreos-cloudinit where only the machine knows it', () => {
    const planned = plans(cluster('gce', {}, readLate.gce));
    expect(file(planned.get('general'), '/etc/mesos-calico/host.env')).toBe('HOST_IP=$private_ipv4\n');
  });

  test.each([
    ['aws', 'COREOS_EC2_IPV4_LOCAL'],
    ['gce', 'COREOS_GCE_IP_LOCAL_0'],
  ] as const)('under Ignition on %s comes from coreos-metadata.service', (kind, variable) => {
    const general = plans(cluster(kind, {}, { boot: 'ignition' })).get('general');
    expect(general?.files.map(({ path }) => path)).not.toContain('/etc/mesos-calico/host.env');
    const text = unit(general, 'host-address.service');
    expect(said(text, 'ExecStart')).toEqual([`/opt/mesos-calico/host-address \${${variable}}`]);
    expect(said(text, 'EnvironmentFile')).toEqual(['/run/metadata/flatcar']);
    expect(said(text, 'After')[0]).toContain('coreos-metadata.service');
    expect(said(text, 'Wants')[0]).toContain('coreos-metadata.service');
  });
});

describe('host-address', () => {
  beforeEach(async ({ skip }) => {
    const reason = await noNetwork();
    skip(reason !== undefined, reason);
  });

  /** Runs it on a host with the address 10.0.32.17/19 and a name. */
  async function run(env: string | undefined, argument: readonly string[] = [], name = 'test-master-2') {
    const program = root.put('/opt/mesos-calico/host-address', script('host-address').replace('sleep 1', 'sleep 0'));
    if (env !== undefined) root.put('/etc/mesos-calico/host.env', env);
    const given = argument.map((each) => `'${each}'`).join(' ');
    const output = await inNetwork(
      `ip address add 10.0.32.17/19 dev lo; ip address add 10.0.32.170/32 dev lo; hostname ${name}; '${program}' ${given}`,
    );
    const at = (path: string) => (existsSync(root.path(path)) ? readFileSync(root.path(path), 'utf8') : undefined);
    return { ...output, cidr: at('/run/mesos-calico/host-cidr.env'), env: at('/etc/mesos-calico/host.env') };
  }

  test('tells the range of an address that is its own', async () => {
    const { code, cidr } = await run('HOST_IP=10.0.32.17\n');
    expect({ code, cidr }).toEqual({ code: 0, cidr: 'HOST_CIDR=10.0.32.17/19\n' });
  });

  test('writes an address that the metadata tell', async () => {
    const { code, cidr, env } = await run(undefined, ['10.0.32.17']);
    expect({ code, cidr, env }).toEqual({
      code: 0,
      cidr: 'HOST_CIDR=10.0.32.17/19\n',
      env: 'HOST_IP=10.0.32.17\n',
    });
  });

  test.each([
    ['an empty one, as coreos-cloudinit writes where it knows none', 'HOST_IP=\n', []],
    ['one that was never put in', 'HOST_IP=$private_ipv4\n', []],
    ['an empty one of the metadata', undefined, ['']],
    ['a loopback address', 'HOST_IP=127.0.0.1\n', []],
  ])('refuses %s', async (_, env, argument) => {
    const { code, cidr, stderr } = await run(env, argument);
    expect({ code, cidr }).toEqual({ code: 1, cidr: undefined });
    expect(stderr).toContain('no address that other hosts can reach this one by');
  });

  test.each(['10.0.32.18', '10.0.32.1', '0.0.32.17'])('refuses %s, which no interface has', async (address) => {
    const { code, cidr, env } = await run(undefined, [address]);
    expect({ code, cidr, env }).toEqual({ code: 1, cidr: undefined, env: undefined });
  });

  test('refuses to be called localhost: all such hosts would be one to Calico', async () => {
    const { code, cidr, stderr } = await run('HOST_IP=10.0.32.17\n', [], 'localhost');
    expect({ code, cidr }).toEqual({ code: 1, cidr: undefined });
    expect(stderr).toContain("called 'localhost'");
  });
});

describe('fetch', () => {
  let server: Server | undefined;
  let url: string;
  let asked: string[];
  beforeEach(async ({ skip }) => {
    const missing = ['curl', 'flock', 'sha256sum'].find((program) => which(program) === undefined);
    skip(missing !== undefined, `no ${missing ?? ''} here`);
    asked = [];
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const path = (request.url ?? '').replace(/^http:\/\/[^/]+/, '');
      if (path === '/a.tgz') response.end(archive);
      else if (path === '/missing') response.writeHead(404).end('no such file');
      else if (path === '/cut')
        response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy());
      else response.end(`content of ${path}\n`);
    });
    const started = server;
    await new Promise<void>((listening) => started.listen(0, '127.0.0.1', listening));
    url = `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server?.close();
    server = undefined;
  });

  let archive: Buffer;
  beforeAll(async () => {
    const packed = new Root();
    packed.put('/etcd-v1/etcd', 'the server\n');
    packed.put('/etcd-v1/etcdctl', 'the client\n');
    packed.put('/etcd-v1/README', 'words\n');
    await shell.run(['tar', '--create', '--gzip', '--file', packed.path('/a.tgz'), '-C', packed.folder, 'etcd-v1']);
    archive = readFileSync(packed.path('/a.tgz'));
    rmSync(packed.folder, { recursive: true });
  });

  const sum = (text: string): string => createHash('sha256').update(text).digest('hex');
  const at = (path: string): string | undefined =>
    existsSync(root.path(path)) ? readFileSync(root.path(path), 'utf8') : undefined;

  function fetch(...given: string[]) {
    const program = root.put('/opt/mesos-calico/fetch', script('fetch'));
    return shell.run([program, ...given], { timeoutMs: 20_000, env: { no_proxy: '', http_proxy: '' } });
  }

  test('puts a file in its place, to be run by everybody and changed by root alone', async () => {
    expect(await fetch(`${url}/a`, '-', 'file', root.path('/bin/a'))).toMatchObject({ code: 0 });
    expect(at('/bin/a')).toBe('content of /a\n');
    expect(statSync(root.path('/bin/a')).mode & 0o777).toBe(0o755);
  });

  test('takes the members of an archive that it is asked for', async () => {
    const output = await fetch(`${url}/a.tgz`, '-', 'tar', root.path('/bin'), 'etcd-v1/etcd', 'etcd-v1/etcdctl');
    expect(output).toMatchObject({ code: 0 });
    expect([at('/bin/etcd'), at('/bin/etcdctl'), at('/bin/README')]).toEqual([
      'the server\n',
      'the client\n',
      undefined,
    ]);
  });

  test('does it once', async () => {
    for (let start = 0; start < 3; start++) {
      await fetch(`${url}/a`, '-', 'file', root.path('/bin/a'));
      await fetch(`${url}/a.tgz`, '-', 'tar', root.path('/bin'), 'etcd-v1/etcd');
    }
    expect(asked).toEqual(['/a', '/a.tgz']);
  });

  test('does it once for two units that want it at the same moment', async () => {
    const outputs = await Promise.all([1, 2, 3].map(() => fetch(`${url}/a`, '-', 'file', root.path('/bin/a'))));
    expect(outputs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(asked).toEqual(['/a']);
  });

  test('does it again when the address or the sum is another, or the file is gone', async () => {
    await fetch(`${url}/a`, '-', 'file', root.path('/bin/a'));
    await fetch(`${url}/b`, '-', 'file', root.path('/bin/a'));
    expect(at('/bin/a')).toBe('content of /b\n');
    await fetch(`${url}/b`, sum('content of /b\n'), 'file', root.path('/bin/a'));
    rmSync(root.path('/bin/a'));
    await fetch(`${url}/b`, sum('content of /b\n'), 'file', root.path('/bin/a'));
    expect(asked).toEqual(['/a', '/b', '/b', '/b']);
    expect(at('/bin/a')).toBe('content of /b\n');
  });

  test.each([
    ['has another sum', 'a', sum('something else'), 'file'],
    ['is not there', 'missing', '-', 'file'],
    ['breaks off', 'cut', '-', 'file'],
    ['is no archive', 'a', '-', 'tar'],
  ])('leaves what is there when the download %s', async (_, path, checksum, kind) => {
    await fetch(`${url}/before`, '-', 'file', root.path('/bin/a'));
    const target = kind === 'file' ? [root.path('/bin/a')] : [root.path('/bin'), 'x/a'];
    expect((await fetch(`${url}/${path}`, checksum, kind, ...target)).code).not.toBe(0);
    expect(at('/bin/a')).toBe('content of /before\n');
    const left = await shell.run(['find', root.folder, '-name', 'fetch.*', '-o', '-name', '*.new']);
    expect(left.stdout).toBe('');
    // And it is tried again, not taken for done.
    expect((await fetch(`${url}/${path}`, checksum, kind, ...target)).code).not.toBe(0);
  });

  test('refuses a kind that it does not know, before it asks anybody', async () => {
    expect(await fetch(`${url}/a`, '-', 'rpm', root.path('/bin/a'))).toMatchObject({ code: 2 });
    expect(asked).toEqual([]);
  });

  test('goes through the proxy, but not to what is excepted', async () => {
    root.put('/etc/mesos-calico/proxy.env', `http_proxy=${url}\nno_proxy=localhost,127.0.0.0/8\n`, 0o644);
    await fetch('http://artifacts.example.com/a', '-', 'file', root.path('/bin/a'));
    await fetch(`${url}/b`, '-', 'file', root.path('/bin/b'));
    expect(asked).toEqual(['http://artifacts.example.com/a', '/b']);
  });
});

describe('pull', () => {
  /** A Docker that has some images, and says what it was asked. */
  async function pull(image: string, has: string) {
    const log = root.path('/asked');
    root.put('/opt/bin/docker', `#!/bin/bash\necho "$*" >>${log}\n[[ $1 == pull || \${*: -1} == ${has} ]]\n`);
    const program = root.put('/opt/mesos-calico/pull', script('pull').replaceAll('{{docker}}', '/opt/bin/docker'));
    const { code } = await shell.run([program, image]);
    return { code, asked: readFileSync(log, 'utf8').trim().split('\n') };
  }

  test('asks no registry for an image that is there', async () => {
    expect(await pull('zookeeper:3.8', 'zookeeper:3.8')).toEqual({
      code: 0,
      asked: ['inspect --type image zookeeper:3.8'],
    });
  });
  test('pulls one that is not', async () => {
    const { code, asked } = await pull('zookeeper:3.8', 'nothing');
    expect({ code, last: asked.at(-1) }).toEqual({ code: 0, last: 'pull zookeeper:3.8' });
  });
});

describe('a proxy', () => {
  const proxied = (proxy: Readonly<Record<string, unknown>>) =>
    file(
      plans(cluster('aws', { release: { channel: 'current', proxy } })).get('general'),
      '/etc/mesos-calico/proxy.env',
    );
  const none = (text: string): string[] => /^no_proxy=(.*)$/m.exec(text)![1]!.split(',');

  test('is never asked for a node, nor for the metadata', () => {
    const direct = none(proxied({ https: 'http://proxy.example.com:3128' }));
    expect(direct).toEqual(expect.arrayContaining(['10.0.0.16', '10.0.32.17', '10.0.64.18', '10.0.0.0/16']));
    expect(direct).toEqual(expect.arrayContaining(['localhost', '127.0.0.1', '169.254.169.254']));
  });
  test('is not asked for what the description excepts', () => {
    expect(none(proxied({ https: 'http://proxy.example.com:3128', except: ['.example.com'] }))).toContain(
      '.example.com',
    );
  });
  test('is written for programs that read either spelling, and only for what was said', () => {
    const text = proxied({ https: 'http://proxy.example.com:3128' });
    expect(text).toContain('https_proxy=http://proxy.example.com:3128\nHTTPS_PROXY=http://proxy.example.com:3128\n');
    expect(text).not.toContain('http_proxy=\n');
    expect(text).not.toMatch(/^http_proxy=/m);
  });
  test('is not there where none is', () => {
    for (const [, of] of kinds)
      for (const planned of plans(of).values())
        expect(planned.files.map(({ path }) => path)).not.toContain('/etc/mesos-calico/proxy.env');
  });
});

describe('words of a description', () => {
  const awkward = [
    'http://a.example.com/b%20c?d=$HOME&e=`id`;f="g"\\h\'i',
    'http://proxy.example.com:3128',
    "http://a/'$(id)'",
    'a|b<c>#d~{e}[f]*',
  ];
  test.each(awkward)('reach bash through a file of variables: %s', async (word) => {
    const env = root.put('/env', `${envLine('WORD', word)}\n`);
    const output = await shell.run(['bash', '-c', `set -a; . ${env}; printenv WORD`]);
    expect(output.stdout).toBe(`${word}\n`);
  });
  test.each(awkward)('reach a command through a unit: %s', (word) => {
    // As systemd parts a line: `%%` and `$$` stand for one, and a backslash counts within quotes only.
    expect(words(`/bin/a ${unitWord(word)} b`)).toEqual(['/bin/a', word, 'b']);
  });
  test('an address of a mirror with a percent sign stays whole in the units', () => {
    const mirror = 'https://mirror.example.com/a%20b';
    const planned = plans(cluster('aws', { release: { channel: 'current', mirror } }));
    const [fetch = ''] = said(unit(planned.get('master-1'), 'etcd.service'), 'ExecStartPre').filter((line) =>
      line.includes('fetch'),
    );
    expect(words(fetch)[1]).toMatch(/^https:\/\/mirror\.example\.com\/a%20b\/github\.com\/etcd-io\//);
  });
});

describe('authorities', () => {
  const one = '-----BEGIN CERTIFICATE-----\nQUFB\nQUFB\n-----END CERTIFICATE-----';
  const two = '-----BEGIN CERTIFICATE-----\nQkJC\n-----END CERTIFICATE-----';

  test('lie one to a file, the only kind that Flatcar takes', () => {
    const [, of] = kinds[0]!;
    const general = plans(of, { caBundle: `Our own\n${one}\n\n# and theirs\n${two}` }).get('general');
    expect(file(general, '/etc/ssl/certs/mesos-calico-1.pem')).toBe(`${one}\n`);
    expect(file(general, '/etc/ssl/certs/mesos-calico-2.pem')).toBe(`${two}\n`);
  });

  test.each(kinds)('are known before anything is downloaded: %s', (_, of) => {
    for (const planned of plans(of, { caBundle: one }).values()) {
      const before = said(unit(planned, 'ca-bundle.service'), 'Before').join(' ').split(' ');
      const users = planned.units.filter(
        ({ name, content }) => name === 'docker.service' || content?.includes('/opt/mesos-calico/fetch '),
      );
      expect(before).toEqual(expect.arrayContaining(users.map(({ name }) => name)));
    }
  });

  test('are not touched where the description names none', () => {
    for (const planned of plans(kinds[0]![1]).values()) {
      expect(planned.units.map(({ name }) => name)).not.toContain('ca-bundle.service');
    }
  });
});

describe('the guard of the metadata and of etcd', () => {
  let reason: string | undefined;
  beforeAll(async () => {
    reason = which('iptables') === undefined ? 'no iptables here' : await noNetwork();
  });

  test('stands on all agents of a cloud, on every start, and before any task', () => {
    for (const [, of] of kinds) {
      const general = plans(of).get('general');
      expect(general?.units.find(({ name }) => name === 'metadata-guard.service')).toMatchObject({ enable: true });
      expect(said(unit(general, 'metadata-guard.service'), 'Before')[0]).toBe(
        'docker.service calico-node.service mesos-agent.service',
      );
      expect(said(unit(general, 'metadata-guard.service'), 'ExecStart')).toEqual([
        `/opt/mesos-calico/metadata-guard ${masterAddresses(of).join(' ')}`,
      ]);
    }
  });

  /**
   * A task behind cali0, a container behind docker0, a host in front of eth0. Each asks for an address on the router
   * itself, after Felix and Docker have accepted everything in FORWARD and INPUT. Masters are 10.0.0.16 and 10.0.32.17.
   * Silence alone would say nothing on a loaded machine: what is not answered was counted by a rule that drops.
   */
  async function ask(
    program: string,
    from: string,
    address: string,
    port: number,
  ): Promise<'answered' | 'not answered'> {
    const output = await inNetwork(
      `
      unshare --net sleep 60 & task=$!
      until [[ $(readlink /proc/$task/ns/net) != $(readlink /proc/self/ns/net) ]]; do sleep 0.01; done
      trap 'kill $task' EXIT
      in_task() { nsenter --target $task --net "$@"; }
      ip link add ${from} type veth peer name inside
      ip link set inside netns $task
      ip address add 192.168.9.1/24 dev ${from}; ip link set ${from} up
      in_task ip address add 192.168.9.2/24 dev inside; in_task ip link set inside up
      in_task ip route add default via 192.168.9.1
      ip address add ${address}/32 dev lo
      '${program}' 10.0.0.16 10.0.32.17; '${program}' 10.0.0.16 10.0.32.17
      iptables -I INPUT -j ACCEPT
      for guarded in 169.254.169.254 10.0.0.16 10.0.32.17; do
        [[ $(iptables -t raw -S PREROUTING | grep -c "$guarded/32") == 3 ]]
      done
      '${process.execPath}' -e "
        require('net').createServer((socket) => socket.end('secret'))
          .listen(${port}, '${address}', () => console.log('listens'));
      " >listening & server=$!
      trap 'kill $task $server 2>/dev/null || true' EXIT
      until grep -q listens listening; do sleep 0.02; done
      dropped() {
        iptables -t raw -L PREROUTING -v -x -n | awk '$3 == "DROP" { packets += $1 } END { exit packets == 0 }'
      }
      in_task timeout 20 bash -c 'cat </dev/tcp/${address}/${port}' & client=$!
      while kill -0 $client 2>/dev/null && ! dropped; do sleep 0.02; done
      if dropped; then kill $client; fi
      wait $client || true
    `.replaceAll('listening', root.path('listening')),
    );
    expect(output.stderr).not.toMatch(/iptables|line \d+: .*not found/);
    return output.stdout.includes('secret') ? 'answered' : 'not answered';
  }

  test.for([
    ['cali0', '169.254.169.254', 80, 'not answered'],
    ['docker0', '169.254.169.254', 80, 'not answered'],
    ['br-0123456789ab', '169.254.169.254', 80, 'not answered'],
    ['eth0', '169.254.169.254', 80, 'answered'],
    ['cali0', '169.254.169.254', 53, 'answered'],
    ['cali0', '10.0.0.16', 2379, 'not answered'],
    ['cali0', '10.0.32.17', 2380, 'not answered'],
    ['docker_gwbridge', '10.0.32.17', 2379, 'not answered'],
    ['br-0123456789ab', '10.0.0.16', 2379, 'not answered'],
    // The agent itself, Marathon on a master, and a service of the users' own elsewhere.
    ['eth0', '10.0.0.16', 2379, 'answered'],
    ['cali0', '10.0.0.16', 8080, 'answered'],
    ['cali0', '10.0.0.99', 2379, 'answered'],
  ] as const)('leaves what comes in by %s for %s on port %i %s', async ([from, address, port, expected], { skip }) => {
    skip(reason !== undefined, reason);
    const program = root.put('/opt/mesos-calico/metadata-guard', script('metadata-guard'));
    expect(await ask(program, from, address, port)).toBe(expected);
  });
});

test('kernel modules and settings are in force before anything of Calico or Docker starts, without a reboot', () => {
  for (const [, of] of kinds) {
    for (const planned of plans(of).values()) {
      const text = unit(planned, 'kernel.service');
      expect(said(text, 'ExecStart').map((line) => line.split(' ')[0])).toEqual([
        '-/usr/lib/systemd/systemd-modules-load',
        '/usr/lib/systemd/systemd-sysctl',
      ]);
      expect(said(text, 'Before')[0]).toBe('docker.service calico-node.service mesos-agent.service');
      expect(file(planned, '/etc/modules-load.d/mesos-calico.conf').split('\n')).toEqual(
        expect.arrayContaining(['ip6_tables', 'ipip', 'xt_set']),
      );
      expect(file(planned, '/etc/sysctl.d/90-mesos-calico.conf').split('\n')).toEqual(
        expect.arrayContaining(['net.ipv4.ip_forward = 1', 'net.ipv4.conf.*.rp_filter = 1']),
      );
    }
  }
});
