/** The walls of the house (docs/architecture.md). A rule that fails names the file that went through a wall. */
module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      comment: 'Files that import each other in a loop.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'cdktf-only-in-stacks-and-targets',
      severity: 'error',
      comment: 'cdktf was archived in 2025; this wall keeps its replacement a rename in a few folders.',
      from: {
        pathNot: '^(stacks/|modules/(aws|gce|vagrant|hosts)/|test/(unit|deploy)/(aws|gce|vagrant|stacks)/|test/bench/)',
      },
      to: { path: 'node_modules/(cdktf|constructs|@cdktf)/' },
    },
    {
      name: 'nobody-imports-stacks',
      severity: 'error',
      from: { pathNot: '^(stacks|test)/' },
      to: { path: '^stacks/' },
    },
    { name: 'nobody-imports-verbs', severity: 'error', from: { pathNot: '^(verbs|test)/' }, to: { path: '^verbs/' } },
    {
      name: 'nobody-imports-tests',
      severity: 'error',
      comment: 'test/e2e holds scripts that run a cluster; nothing may build on them but tests.',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'policy-knows-no-machines',
      severity: 'error',
      comment:
        'policy is a pure model: it reads release data (what a channel turns a network into) and names problems.',
      from: { path: '^modules/policy/' },
      to: { path: '^(modules/(?!policy/|release/|problem/)|stacks/|agents/)' },
    },
    {
      name: 'release-is-data',
      severity: 'error',
      from: { path: '^modules/release/' },
      to: { path: '^modules/(?!release/)' },
    },
    {
      name: 'node-knows-no-clouds',
      severity: 'error',
      from: { path: '^(modules/node|agents)/' },
      to: { path: '^modules/(aws|gce|vagrant|hosts|lab|verify)/' },
    },
    {
      name: 'verify-knows-no-lab',
      severity: 'error',
      comment:
        'verify judges a cluster through the interfaces of modules/verify/target.ts; the lab is one implementation.',
      from: { path: '^modules/verify/' },
      to: { path: '^modules/(lab|aws|gce|vagrant|hosts|remote|mesos)/' },
    },
    {
      name: 'cluster-knows-no-lab',
      severity: 'error',
      from: { path: '^modules/cluster/' },
      to: { path: '^modules/(lab|verify|node|aws|gce|vagrant|hosts)/' },
    },
    {
      name: 'mesos-knows-no-target',
      severity: 'error',
      comment: 'The clients speak to whatever answers: a cluster, or the lab that stands in for one.',
      from: { path: '^modules/mesos/' },
      to: { path: '^(modules/(?!mesos/|release/|problem/)|stacks/|agents/)' },
    },
    {
      name: 'artifacts-knows-no-target',
      severity: 'error',
      comment: 'What a cluster downloads follows from its description alone.',
      from: { path: '^modules/artifacts/' },
      to: { path: '^(modules/(?!artifacts/|release/|cluster/|problem/)|stacks/|agents/)' },
    },
    {
      name: 'child-processes-behind-one-door',
      severity: 'error',
      comment:
        'Child processes stand behind modules/shell, so that tests can replace it; zx is for the scripts of test/e2e.',
      from: { path: '^(modules|stacks|agents|verbs)/', pathNot: '^modules/shell/' },
      to: { path: '^(node:)?child_process$|node_modules/zx/' },
    },
    {
      name: 'pure-rooms-do-no-io',
      severity: 'error',
      comment: 'agents, node and policy are pure: no files, no network, no processes.',
      from: { path: '^(agents|modules/(node|policy|release))/' },
      to: { path: '^(node:)?(fs|fs/promises|net|http|https|dgram|child_process|os)$' },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|reports)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
