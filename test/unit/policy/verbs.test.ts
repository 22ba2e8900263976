/** `npm run policy` as a user calls it, in this process. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { chartFile } from '../../../modules/report/chart.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-policy-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
});

async function run(...words: string[]) {
  const [argv, before] = [process.argv, process.exitCode];
  let [stdout, stderr] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((stderr += String(text)), true));
  try {
    process.argv = ['node', 'policy', ...words];
    vi.resetModules();
    await import('../../../verbs/policy.ts');
    return { code: process.exitCode, stdout, stderr };
  } finally {
    process.argv = argv;
    process.exitCode = before;
    vi.restoreAllMocks();
  }
}

function file(text: string, name = 'policy.yaml'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('check', () => {
  test('of the Stars: every expectation holds, by cluster and by folder', async () => {
    const stdout = `✔ Isolated: 6 of 6 expectations hold
✔ Management UI admitted: 9 of 9 expectations hold
✔ Client to frontend to backend only: 9 of 9 expectations hold
`;
    expect(await run('check', 'lab')).toEqual({ code: 0, stdout, stderr: '' });
    expect(await run('check', 'policies/stars')).toEqual({ code: 0, stdout, stderr: '' });
  });

  test('an expectation that does not hold is told with its line, a pair, and who decides', async () => {
    const wrong = file(
      'title: Wrong\nprofiles:\n  web:\n    inbound:\n      - allow\nexpect:\n  - deny db -> web tcp 80\n',
    );
    const { code, stdout } = await run('check', wrong);
    expect(code).toBe(1);
    expect(stdout).toBe(`✘ Wrong: 0 of 1 expectation hold
  ${wrong}:7: deny db -> web tcp 80
    4 of 4 cells otherwise: db@general-1 -> web@general-1 tcp is allowed by web inbound rule 1 (allow)
`);
  });

  test('a rule that cannot be read is refused with its line, before anything is answered', async () => {
    const { code, stdout, stderr } = await run(
      'check',
      file('title: Broken\nprofiles:\n  web:\n    inbound:\n      - alow tcp\n'),
    );
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/policy\.yaml:5:9 .*Did you mean "allow"\?.*\[unknown-action\]$/m);
  });
});

describe('matrix', () => {
  test('after the last file, by network', async () => {
    const { code, stdout } = await run('matrix', 'lab');
    expect(code).toBe(0);
    expect(stdout).toBe(`Client to frontend to backend only (policies/stars/3-one-way.yaml)

from \\ to      management-ui  client    frontend  backend
management-ui  tcp 9001       tcp 9000  tcp 9000  tcp 9000
client         tcp 9001       all       tcp 9000  -
frontend       tcp 9001       -         all       tcp 9000
backend        tcp 9001       -         -         all
`);
  });

  test('after another, and as JSON', async () => {
    const { stdout } = await run('matrix', 'lab', '--step', '1', '--json');
    expect(JSON.parse(stdout)).toEqual({
      title: 'Isolated',
      file: 'policies/stars/1-isolated.yaml',
      networks: ['management-ui', 'client', 'frontend', 'backend'],
      cells: [
        ['all', '-', '-', '-'],
        ['-', 'all', '-', '-'],
        ['-', '-', 'all', '-'],
        ['-', '-', '-', 'all'],
      ],
    });
  });
});

test('a matrix of many networks is told by groups of those that are alike', async () => {
  const names = Array.from({ length: 13 }, (_, index) => `n${index}`);
  const many = file(
    `title: Many\nprofiles:\n${names.map((name) => `  ${name}: { inbound: [allow from tag ${name === 'n12' ? 'n0' : name}] }\n`).join('')}`,
  );
  const { stdout } = await run('matrix', many);
  expect(stdout.split('\n').slice(2)).toEqual([
    'from \\ to       n0   n1 and 10 more     n12',
    'n0              all  -                  all',
    'n1 and 10 more  -    own all; others -  -',
    'n12             -    -                  -',
    '',
    'n1 and 10 more:',
    '  n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11',
    '',
  ]);
});

describe('matrix as a drawing', () => {
  test('a file of its own, and a page with every step', async () => {
    const [svg, html] = [join(folder, 'matrix.svg'), join(folder, 'matrix.html')];
    const { code, stdout } = await run('matrix', 'lab', '--svg', svg, '--html', html);
    expect(code).toBe(0);
    expect(stdout).toContain(`Written: ${svg}, ${html}`);
    const drawn = readFileSync(svg, 'utf8');
    // What shows it outside of a browser knows no variables, and paints black.
    const coloured = drawn.match(/fill: #[0-9a-f]{6};\s+fill: var\(/g) ?? [];
    expect(coloured).toHaveLength(drawn.match(/fill: var\(/g)!.length);
    expect(drawn.match(/<g class="(all|some|none)">/g)).toHaveLength(16);
    expect(drawn).toContain('<title>client to frontend: tcp 9000</title>');
    expect(drawn).toContain('<title>frontend to client: nothing</title>');
    const page = readFileSync(html, 'utf8');
    expect(page.match(/<svg /g)).toHaveLength(3);
    // Nothing is fetched, and nothing runs.
    expect(page).not.toMatch(/<script|<link|src=|url\(/);
  });

  test('what stands in a policy stays text', () => {
    const drawn = chartFile({ title: '</svg><script>', networks: ['a&b'], cells: [['"all"']] });
    expect(drawn).not.toContain('<script>');
    expect(drawn).toContain('&lt;/svg&gt;&lt;script&gt;');
    expect(drawn).toContain('a&amp;b to a&amp;b: &quot;all&quot;');
  });
});

describe('explain', () => {
  test('who decides, and what would admit it', async () => {
    expect(await run('explain', 'lab', 'client', 'backend', 'tcp', '9000')).toEqual({
      code: 1,
      stdout: `client@general-1 -> backend@general-1 tcp 9000: denied
  out of the source:     allowed by client outbound rule 1 (allow)
  into the destination:  denied: no inbound rule of backend matched
To admit it:
  calicoctl profile backend rule add inbound allow tcp from tag client to ports 9000
`,
      stderr: '',
    });
  });

  test('what passes is exit code 0; a network to itself is two of its tasks', async () => {
    const { code, stdout } = await run('explain', 'lab', 'client', 'client', 'icmp');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^client@general-1 -> client@general-2 icmp echo request: allowed\n/);
  });

  test.each([
    ['a network that nobody knows', ['cleint', 'backend'], 'Did you mean client?'],
    ['a port that is nothing', ['client', 'backend', 'tcp', ''], '"" is no port.'],
    ['a port in other digits', ['client', 'backend', 'tcp', '0x50'], '"0x50" is no port.'],
    ['a protocol that is none', ['client', 'backend', 'tpc'], '"tpc" is no protocol.'],
    ['a port that is none', ['client', 'backend', 'tcp', '70000'], '"70000" is no port.'],
    ['a port of icmp', ['client', 'backend', 'icmp', '8'], 'icmp has no ports.'],
    ['one end only', ['client'], 'Two ends are asked about.'],
    ['a word too many', ['client', 'backend', 'tcp', '80', 'now'], '"now" stands after the end.'],
  ])('refuses %s', async (_, words, what) => {
    const { code, stderr } = await run('explain', 'lab', ...words);
    expect(code).toBe(2);
    expect(stderr).toContain(what);
  });
});

test('diff tells what each file opens and closes, by groups', async () => {
  expect(await run('diff', 'lab')).toEqual({
    code: 0,
    stdout: `Isolated → Management UI admitted: 54 flows open, 24 close
  + management-ui (3) -> client (3), frontend (3), backend (3): tcp 9000
  + client (3), frontend (3), backend (3) -> management-ui (3): tcp 9001
  - management-ui (3) -> management-ui (3): tcp 9000,other udp icmp

Management UI admitted → Client to frontend to backend only: 18 flows open, 0 close
  + client (3) -> frontend (3): tcp 9000
  + frontend (3) -> backend (3): tcp 9000
`,
    stderr: '',
  });
  const { stdout } = await run('diff', 'lab', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    diffs: [
      { opened: 54, closed: 24 },
      { after: 'Client to frontend to backend only', opened: 18, closed: 0 },
    ],
  });
});

test('diff as a drawing: what opens, what closes, what stays', async () => {
  const [svg, html] = [join(folder, 'diff.svg'), join(folder, 'diff.html')];
  const { code, stdout } = await run('diff', 'lab', '--step', '2', '--svg', svg, '--html', html);
  expect(code).toBe(0);
  expect(stdout).toContain(`Written: ${svg}, ${html}`);
  const drawn = readFileSync(svg, 'utf8');
  expect(drawn.match(/<g class="opens">/g)).toHaveLength(6);
  expect(drawn.match(/<g class="closes">/g)).toHaveLength(1);
  expect(drawn.match(/<g class="none">/g)).toHaveLength(9);
  expect(drawn).toContain('<title>client to management-ui: + tcp 9001</title>');
  expect(drawn).toContain('<title>client to frontend: as before</title>');
  expect(readFileSync(html, 'utf8').match(/<svg /g)).toHaveLength(2);
  const first = await run('diff', 'lab', '--step', '1', '--svg', svg);
  expect(first).toMatchObject({ code: 2 });
  expect(first.stderr).toContain('There is nothing before the first file.');
});

test('lint says what is useless, and is exit code 1 then', async () => {
  expect(await run('lint', 'lab')).toEqual({ code: 0, stdout: 'Nothing to say.\n', stderr: '' });
  const useless = file('title: Twice\nprofiles:\n  web:\n    inbound:\n      - allow\n      - deny tcp\n');
  const { code, stdout } = await run('lint', useless);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^web inbound rule 2 \(deny tcp\) never decides: .*\[shadowed-rule\]\n$/);
});

test('lint tells of a proxy that policy does not admit', async () => {
  const cluster = (rule: string): string => {
    file(`title: Web\nprofiles:\n  web:\n    inbound:\n      - ${rule}\n`, 'web.yaml');
    const lines = [
      'name: proxied',
      'target: { lab: {} }',
      'agents: { general: { count: 2 } }',
      'networks: { web: { proxies: [10.20.1.40] } }',
      'policies: [web.yaml]',
    ];
    return file(`${lines.join('\n')}\n`, 'proxied.yaml');
  };
  const { code, stdout } = await run('lint', cluster('allow tcp from tag web to ports 80'));
  expect(code).toBe(1);
  expect(stdout).toContain('The network web admits nothing from its proxy at 10.20.1.40.');
  expect(stdout).toContain('in the inbound rules of web: allow tcp from cidr 10.20.1.40/32');
  expect(await run('lint', cluster('allow tcp from cidr 10.20.1.40/32 to ports 80'))).toMatchObject({ code: 0 });
});

test('compile prints the commands from each file to the next', async () => {
  const { code, stdout } = await run('compile', 'policies/stars');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^# Isolated\n# nothing to change\n\n# Management UI admitted\ncalicoctl profile /);
  expect(stdout).toContain('calicoctl profile backend rule add inbound allow tcp from tag frontend to ports 9000\n');
});

test('a folder stands for its files, whatever its folders are called', async () => {
  file('title: One\nprofiles: { web: { inbound: [allow] } }\n', '1.yaml');
  mkdirSync(join(folder, '2.yaml'));
  expect(await run('check', folder)).toMatchObject({ code: 0, stdout: '✔ One: no expectations\n' });
});

test('diff and compile of one step are about that step', async () => {
  const { stdout } = await run('diff', 'lab', '--step', '3');
  expect(stdout.split('\n')[0]).toMatch(/^Management UI admitted → Client to frontend to backend only: /);
  expect((await run('compile', 'lab', '--step', '1')).stdout).toBe('# Isolated\n# nothing to change\n');
});

test('a matrix of hundreds of networks and ports takes seconds, not hours', { timeout: 20_000 }, async () => {
  const size = 150;
  const rules = Array.from({ length: size }, (_, index) => {
    const [peer, port] = [(index * 7 + 1) % size, 1000 + index];
    return `  n${index}: { inbound: [allow tcp from tag n${peer} to ports ${port}] }\n`;
  });
  const { code, stdout } = await run('matrix', file(`title: Many\nprofiles:\n${rules.join('')}`), '--json');
  const { networks, cells } = JSON.parse(stdout) as { networks: string[]; cells: string[][] };
  expect([code, networks.length]).toEqual([0, size]);
  expect(cells[networks.indexOf('n8')]![networks.indexOf('n1')]).toBe('tcp 1001');
  expect(cells.flat().filter((text) => text !== '-')).toHaveLength(size);
});

test.each([
  ['no question', [], 'It is not said what to do.'],
  ['a question that nobody knows', ['chek', 'lab'], 'Did you mean check?'],
  ['no policy', ['check'], 'It is not said of which policy.'],
  ['a word too many', ['check', 'lab', 'now'], '"now" is a word too many.'],
  ['a cluster that nobody knows', ['check', 'lbb'], 'There is no cluster lbb'],
  ['a drawing of what cannot be drawn', ['check', 'lab', '--svg', 'x.svg'], 'check has no use for --svg.'],
  ['the live profiles where nobody asks', ['diff', 'lab', '--live', 'x'], 'diff has no use for --live.'],
  ['another release for a cluster', ['matrix', 'lab', '--release', 'current'], 'A cluster says its release itself.'],
  ['a drawing that cannot be written', ['matrix', 'lab', '--svg', '/nowhere/x.svg'], '[unwritable-file]'],
  ['a drawing without a name', ['matrix', 'lab', '--html='], 'A file without a name cannot be written'],
  ['a file that is empty when it is read again', ['check', '/dev/null'], 'is no file that can be read twice'],
  ['a step that is not there', ['matrix', 'lab', '--step', '4'], 'the policy has the steps 1 to 3.'],
])('refuses %s', async (_, words, what) => {
  const { code, stdout, stderr } = await run(...words);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(what);
});

describe('apply', () => {
  const networks = ['management-ui', 'client', 'frontend', 'backend'];
  const id = (name: string): string => `${networks.indexOf(name) + 1}`.repeat(64);
  const root = '/calico/v1/policy/profile';
  const leaf = (key: string, value: unknown) => ({ key: `${root}/${key}`, value: JSON.stringify(value) });
  const profile = (name: string, inbound: readonly unknown[]) => ({
    key: `${root}/${name}`,
    dir: true,
    nodes: [
      leaf(`${name}/tags`, [name]),
      leaf(`${name}/rules`, { id: name, inbound_rules: inbound, outbound_rules: [{ action: 'allow' }] }),
    ],
  });
  /** As etcd answers when the plugin has made the profiles, and nobody has edited them. */
  const fresh = JSON.stringify({
    action: 'get',
    node: {
      key: root,
      dir: true,
      nodes: [
        ...networks.map((name) => profile(id(name), [{ action: 'allow', src_tag: id(name) }])),
        profile('other', []),
      ],
    },
  });
  const written = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const ids = () => written('ids.txt', networks.map((name) => `${id(name)} ${name}\n`).join(''));

  test('from what the plugin made to what is declared, with the ids that Docker gave', async () => {
    const { code, stdout, stderr } = await run('apply', 'lab', '--live', written('live.json', fresh), '--ids', ids());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`# not declared, and left alone: other
calicoctl profile management-ui rule remove inbound allow from tag management-ui
calicoctl profile management-ui rule add inbound allow tcp to ports 9001
calicoctl profile client rule add inbound allow tcp from tag management-ui to ports 9000
calicoctl profile frontend rule add inbound allow tcp from tag management-ui to ports 9000
calicoctl profile frontend rule add inbound allow tcp from tag client to ports 9000
calicoctl profile backend rule add inbound allow tcp from tag management-ui to ports 9000
calicoctl profile backend rule add inbound allow tcp from tag frontend to ports 9000
`);
  });

  const web = 'title: Web\nprofiles: { client: { inbound: [allow tcp to ports 80:82] } }\n';

  test('what is already as declared leaves nothing to do, also by key as compile prints it', async () => {
    const { stdout, stderr } = await run('compile', 'lab', '--to', 'etcd', '--ids', ids());
    expect([stderr, Object.keys(JSON.parse(stdout) as object)]).toEqual([
      '',
      expect.arrayContaining([`${root}/${id('client')}/rules`]),
    ]);
    const answer = await run('apply', 'lab', '--live', written('etcd.json', stdout), '--ids', ids());
    expect(answer).toEqual({ code: 0, stdout: '# nothing to change\n', stderr: '' });
  });

  test('warnings of the files are told: a command may be one that calicoctl crashes on', async () => {
    const words = ['--live', written('live.json', fresh), '--ids', ids()];
    const { stdout, stderr } = await run('apply', file(web), ...words);
    expect(stdout).toContain('calicoctl profile client rule add inbound allow tcp to ports 80:82\n');
    expect(stderr).toMatch(
      /^warning: .*\[port-range-crashes-calicoctl\] see docs\/troubleshooting\.md#calicoctl-and-port-ranges\n$/,
    );
  });

  test('notes call a network by its name', async () => {
    const words = ['--live', written('none.json', '{}'), '--ids', ids()];
    const { stdout } = await run('apply', file(web), ...words);
    expect(stdout).toContain('# The new profile "client" is more open at first');
  });

  test('an answer of etcd that is none is told in one line', async () => {
    const none = '{"errorCode":100,"message":"Key not found","cause":"/calico/v1/policy","index":7}\n';
    const { code, stderr } = await run('apply', 'lab', '--live', written('none.json', none), '--ids', ids());
    expect([code, stderr.split('\n')]).toEqual([2, [expect.stringContaining('Key not found (/calico/v1/policy)'), '']]);
  });

  test('policies of tiers are refused, and not passed over', async () => {
    const policy = `apiVersion: v1
kind: policy
metadata: { name: p }
spec: { selector: network == "client", ingress: [{ action: allow }] }
---
apiVersion: v1
kind: profile
metadata: { name: client, tags: [client] }
spec: { ingress: [], egress: [{ action: allow }] }
`;
    const { code, stderr } = await run('apply', file(policy), '--live', written('none.json', '{}'));
    expect([code, stderr.includes('no words for policies of tiers: default')]).toEqual([2, true]);
  });

  test('a verification may be running: its own profile stays, and so do those of hosts', async () => {
    file('title: Web\nprofiles:\n  web:\n    inbound: [allow tcp from tag web]\n', 'web.yaml');
    const lines = [
      'name: groups',
      'target: { lab: {} }',
      'release: classic',
      'agents: { general: { count: 2, containerizers: [mesos] } }',
      'networks: { web: {} }',
      'policies: [web.yaml]',
    ];
    const cluster = file(`${lines.join('\n')}\n`, 'groups.yaml');
    const own = (name: string) => ({
      tags: [name],
      rules: { id: name, inbound_rules: [{ action: 'allow', src_tag: name }], outbound_rules: [{ action: 'allow' }] },
    });
    const names = ['ng_web', 'ng_verify-control', 'default_agent-1'];
    const live = file(JSON.stringify(Object.fromEntries(names.map((name) => [name, own(name)]))), 'live.json');
    const { stdout } = await run('apply', cluster, '--live', live);
    expect(stdout.split('\n')[0]).toBe('# not declared, and left alone: ng_verify-control, default_agent-1');
    expect(stdout).toContain('calicoctl profile ng_web rule add inbound allow tcp from tag ng_web\n');
    expect(stdout).not.toContain('calicoctl profile ng_verify-control');
    expect(stdout).not.toContain('profile remove');
  });

  test.each([
    ['no live profiles', () => ['--ids', ids()], 'It is not said what is on the cluster.'],
    ['no ids', () => ['--live', written('live.json', fresh)], 'docker network ls --no-trunc'],
    [
      'a network that Docker does not have',
      () => ['--live', written('live.json', fresh), '--ids', written('some.txt', `${id('client')} client\n`)],
      'The network frontend does not stand there.',
    ],
    ['a file that is not there', () => ['--live', join(folder, 'nowhere.json'), '--ids', ids()], 'cannot be read'],
    ['live profiles cut short', () => ['--live', written('cut.json', fresh.slice(0, 99)), '--ids', ids()], 'no JSON'],
    [
      'a calicoctl without the command',
      () => ['--release', 'current', '--live', written('live.json', fresh)],
      'has no "profile" command',
    ],
  ])('%s', async (_, more, what) => {
    const { code, stderr } = await run('apply', 'policies/stars', ...more());
    expect(code).toBe(2);
    expect(stderr).toContain(what);
    expect(stderr).not.toContain('bug');
  });
});

test('an unreadable file is told, with why', async () => {
  const answer = await run('apply', 'policies/stars', '--live', folder, '--ids', folder);
  expect(answer).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be read: EISDIR') as string });
});

describe('other syntaxes', () => {
  const steps = [1, 2, 3];

  test('the Stars as NetworkPolicy are the Stars, step by step', async () => {
    expect((await run('check', 'policies/stars-networkpolicy')).code).toBe(0);
    expect((await run('lint', 'policies/stars-networkpolicy')).stdout).toBe('Nothing to say.\n');
    const cellsOf = async (folder: string, step: number) => {
      const { stdout } = await run('matrix', folder, '--json', '--step', String(step));
      const { networks, cells } = JSON.parse(stdout) as { networks: string[]; cells: string[][] };
      const flows = networks.flatMap((from, row) =>
        networks.map((to, column) => [`${from} -> ${to}`, cells[row]![column]]),
      );
      return Object.fromEntries(flows) as Record<string, string>;
    };
    for (const step of steps) {
      expect(await cellsOf('policies/stars-networkpolicy', step)).toEqual(await cellsOf('policies/stars', step));
    }
  });

  test('warnings of the files are told beside the answer', async () => {
    const path = file(
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n---\napiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: shop }\n',
    );
    const { code, stdout, stderr } = await run('matrix', path);
    expect([code, stderr.includes(`warning: ${path}:1:1 [0]: In the namespace shop everybody gets into web`)]).toEqual([
      0,
      true,
    ]);
    expect(stdout).toMatch(/^web  +all$/m);
  });

  test('a warning about a range of ports calls networks by their names', async () => {
    const pod = (name: string) =>
      `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, labels: { app: ${name} } }\n---\n`;
    const peer = '{ from: [{ podSelector: { matchLabels: { app: db } } }], ports: [{ port: 90, endPort: 95 }] }';
    const policy = `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: a }\nspec: { podSelector: {}, ingress: [${peer}] }\n`;
    const { stderr } = await run('matrix', file(pod('web') + pod('db') + policy));
    expect(stderr).toContain('"allow tcp from tag db to ports 90:95"');
  });

  test('policies that name nobody are refused with what to do', async () => {
    const path = file(
      'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: a }\nspec: { podSelector: {} }\n',
    );
    const { code, stderr } = await run('check', path);
    expect([code, stderr.includes('[no-networks]'), stderr.includes('kind: Pod')]).toEqual([2, true, true]);
  });

  test('commands speak of profiles by their own names, also in the classic release', async () => {
    const path = file('calicoctl profile db rule add inbound allow tcp from tag web to ports 5432\n', 'c.sh');
    expect(await run('explain', path, 'web', 'db', 'tcp', '5432')).toMatchObject({ code: 0, stderr: '' });
  });
});

test('a description in JSON is a cluster, however it is indented', async () => {
  const description = { name: 'x', target: { lab: {} }, agents: { general: {} }, networks: { web: {} } };
  const { stdout } = await run('matrix', file(JSON.stringify(description, undefined, 2), 'x.json'));
  expect(stdout).toMatch(/^web  +all$/m);
});

test('a file that is no text is not printed', async () => {
  const { code, stderr } = await run('check', file(`\u0001\u0002${'x'.repeat(5000)}`));
  expect([code, stderr.length < 500, stderr.includes('\u0001')]).toEqual([2, true, false]);
});

describe('what stands in etcd', () => {
  const objects = {
    '/calico/v1/policy/profile/web/tags': ['web'],
    '/calico/v1/policy/profile/web/rules': { inbound_rules: [{ src_tag: 'db' }], outbound_rules: [{}] },
    '/calico/v1/policy/profile/db/tags': ['db'],
    '/calico/v1/policy/profile/db/rules': {
      inbound_rules: [{ protocol: 'tcp', dst_ports: ['80:80'] }],
      outbound_rules: [],
    },
    '/calico/v1/host/h1/bird_ip': '10.1.0.1',
    ...Object.fromEntries(
      ['web', 'db'].map((name, index) => [
        `/calico/v1/host/h1/workload/mesos/${name}/endpoint/${name}-1`,
        {
          state: 'active',
          name: `cali${index}`,
          profile_ids: [name],
          ipv4_nets: [`10.0.0.${index + 1}/32`],
          ipv6_nets: [],
        },
      ]),
    ),
  };

  test('is asked about its own endpoints, as the Felix of the release reads it', async () => {
    const path = file(JSON.stringify(objects), 'etcd.json');
    // A range of one port: Python's Felix throws the profile away, Go's does not.
    expect((await run('explain', path, 'web', 'db')).stdout).toContain(
      'the profile db of the destination is missing or invalid',
    );
    expect(await run('explain', path, 'web', 'db', '--release', 'current')).toMatchObject({ code: 0, stderr: '' });
    expect((await run('explain', path, 'h1', 'db')).stdout).toContain('a host reaches its own tasks');
    const { code, stdout } = await run('lint', path);
    expect([code, stdout.includes('[etcd-object-missing]'), stdout.includes('[invalid-profile]')]).toEqual([
      1,
      true,
      true,
    ]);
  });

  test('shows names for ids of Docker networks', async () => {
    const id = 'a'.repeat(64);
    const path = file(
      JSON.stringify(objects).replaceAll('"web"', `"${id}"`).replaceAll('profile/web/', `profile/${id}/`),
      'etcd.json',
    );
    const { stdout } = await run('matrix', path, '--ids', file(`${id} frontend\n`, 'ids.txt'));
    expect(stdout).toMatch(/^frontend /m);
  });
});

describe('compile into a form', () => {
  test('resources for calicoctl 1.x, which read back are the same policy', async () => {
    const { stdout } = await run('compile', 'policies/stars', '--to', 'resources', '--release', 'current');
    const back = file(stdout);
    const matrix = async (where: string) =>
      JSON.parse((await run('matrix', where, '--json', '--release', 'current')).stdout) as { cells: unknown };
    expect(stdout).toContain('kind: profile');
    expect((await run('explain', back, 'client', 'frontend', 'tcp', '9000', '--release', 'current')).code).toBe(0);
    expect((await run('explain', back, 'client', 'backend', 'tcp', '9000', '--release', 'current')).code).toBe(1);
    expect((await matrix(back)).cells).toHaveLength(4);
  });

  test('objects in etcd', async () => {
    const { stdout } = await run('compile', 'policies/stars', '--to', 'etcd', '--release', 'current');
    expect(Object.keys(JSON.parse(stdout) as object)).toContain('/calico/v1/policy/profile/backend/rules');
  });

  test.each(['etcd', 'resources'])('%s in the classic release: no id is made up, and that is said', async (form) => {
    const { code, stdout, stderr } = await run('compile', 'policies/stars', '--to', form);
    expect([code, stderr.includes('[names-for-ids]')]).toEqual([0, true]);
    expect(stdout).not.toMatch(/[0-9a-f]{64}/);
    const [there, back] = [
      await run('matrix', 'policies/stars', '--json'),
      await run('matrix', file(stdout), '--json'),
    ];
    const flows = ({ stdout: text }: typeof there) => {
      const { networks, cells } = JSON.parse(text) as { networks: string[]; cells: string[][] };
      return networks.flatMap((from, row) => networks.map((to, at) => `${from} -> ${to}: ${cells[row]![at]}`)).sort();
    };
    expect(flows(back)).toEqual(flows(there));
  });

  test('what a verification needs besides is in no command', async () => {
    const path = file(`apiVersion: v1
kind: policy
metadata: { name: p }
spec: { selector: network == "web", ingress: [{ action: allow }], egress: [{ action: allow }] }
---
apiVersion: v1
kind: profile
metadata: { name: web, tags: [web] }
spec: { ingress: [], egress: [{ action: allow }] }
`);
    const { stdout } = await run('compile', path, '--release', 'current');
    expect(stdout).toContain('kind: policy');
    expect(stdout).not.toContain('verify-control');
  });

  test('a form that there is not names the nearest', async () => {
    const { code, stderr } = await run('compile', 'policies/stars', '--to', 'resource');
    expect([code, stderr.includes('Did you mean resources?')]).toEqual([2, true]);
  });

  test('in the current release the words are those of calicoctl apply', async () => {
    const { stdout } = await run('compile', 'policies/stars', '--release', 'current');
    expect(stdout).toContain("calicoctl apply -f - <<'EOF'\napiVersion: v1\nkind: profile\n");
  });
});
