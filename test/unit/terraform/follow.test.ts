import { expect, test } from 'vitest';
import type { Progress } from '../../../modules/cli/progress.ts';
import { Follow } from '../../../modules/terraform/follow.ts';

function listen() {
  const said: string[] = [];
  const notes: string[] = [];
  const progress: Progress = {
    stage: () => undefined,
    done: () => undefined,
    note: (text) => void notes.push(text),
    say: (text) => void said.push(text),
  };
  return { said, notes, follow: new Follow(progress, ['general']) };
}

test('each resource that is done is a line, which names its node or pool', () => {
  const { said, notes, follow } = listen();
  follow.expect(4);
  follow.line({ kind: 'begun', address: 'aws_vpc.network', deed: 'create' });
  follow.line({ kind: 'ended', address: 'aws_vpc.network', deed: 'create', seconds: 11 });
  follow.line({ kind: 'begun', address: 'aws_instance.master-1', deed: 'delete' });
  follow.line({ kind: 'begun', address: 'aws_volume_attachment.master-1-data', deed: 'delete' });
  follow.line({ kind: 'begun', address: 'aws_autoscaling_group.general', deed: 'update' });
  follow.line({ kind: 'said', address: 'aws_instance.master-1', text: 'uploading' });
  follow.line({ kind: 'ended', address: 'aws_instance.master-1', deed: 'delete', seconds: 40 });
  follow.line({ kind: 'failed', address: 'aws_autoscaling_group.general', deed: 'update', seconds: 2 });
  expect(said).toEqual([
    '  [1/4] aws_vpc.network created in 11 s',
    '  [2/4] node master-1: aws_instance.master-1 destroyed in 40 s',
    '  [2/4] pool general: aws_autoscaling_group.general failed, after 2 s',
  ]);
  expect(notes).toEqual([
    '0 of 4, aws_vpc.network',
    '1 of 4',
    '1 of 4, node master-1',
    '1 of 4, node master-1',
    '1 of 4, node master-1, pool general',
    'node master-1: uploading',
    '2 of 4, node master-1, pool general',
    '2 of 4, node master-1',
  ]);
});

test('what the installer of hosts says is a line each; what Vagrant says goes by', () => {
  const { said, notes, follow } = listen();
  follow.line({ kind: 'said', address: 'terraform_data.install', text: 'Executing: ["node" "provision.js"]' });
  follow.line({ kind: 'said', address: 'terraform_data.install', text: 'a1: done (12.1 s)' });
  follow.line({ kind: 'said', address: 'terraform_data.agent["a2"]', text: 'a2: taken off' });
  follow.line({ kind: 'said', address: 'terraform_data.agents["general-1"]', text: 'Importing base box' });
  expect(said).toEqual(['  a1: done (12.1 s)', '  a2: taken off']);
  expect(notes).toEqual(['node general-1: Importing base box']);
});

test('a plan says how much it has read', () => {
  const { said, notes, follow } = listen();
  for (const address of ['a.b', 'c.d']) follow.line({ kind: 'refreshed', address });
  follow.line({ kind: 'planned', address: 'a.b', action: 'update' });
  expect([said, notes]).toEqual([[], ['1 read', '2 read']]);
});
