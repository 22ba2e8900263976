import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlockFull, Ipam } from '../../../modules/lab/ipam.ts';
import type { LabHost } from '../../../modules/lab/topology.ts';

const host = (name: string, block: string): LabHost => ({ name, role: 'agent', address: '10.64.0.1', block });
const one = host('one', '10.65.0.64/26');
const two = host('two', '10.65.0.128/26');

const json = (ipam: Ipam, of: LabHost) =>
  JSON.parse(ipam.write(of).value) as {
    allocations: (number | null)[];
    attributes: { handle_id: string }[];
    unallocated: number[];
  };

test('no address is handed out twice while it is taken, whatever comes and goes', () => {
  const move = fc.record({ host: fc.constantFrom(one, two), task: fc.integer({ min: 0, max: 40 }), add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 150 }), (moves) => {
      const ipam = new Ipam();
      const taken = new Map<string, string>();
      for (const { host: at, task, add } of moves) {
        const handle = `${at.name} ${task}`;
        if (add && !taken.has(handle)) {
          const address = ipam.assign(at, handle);
          expect([...taken.values()]).not.toContain(address);
          taken.set(handle, address);
        } else if (!add) {
          ipam.release(at, handle);
          taken.delete(handle);
        }
      }
      for (const at of [one, two]) {
        const { allocations, unallocated } = json(ipam, at);
        const own = [...taken.keys()].filter((handle) => handle.startsWith(at.name)).length;
        expect(allocations.filter((owner) => owner !== null)).toHaveLength(own);
        expect(unallocated).toHaveLength(64 - own);
      }
    }),
  );
});

test('a block has 64 addresses, all inside it, and then says whose block is full', () => {
  const ipam = new Ipam();
  const addresses = Array.from({ length: 64 }, (_, index) => ipam.assign(one, `task ${index}`));
  expect(new Set(addresses).size).toBe(64);
  expect(addresses[0]).toBe('10.65.0.64');
  expect(addresses.at(-1)).toBe('10.65.0.127');
  expect(() => ipam.assign(one, 'one more')).toThrow(BlockFull);
  expect(() => ipam.assign(one, 'one more')).toThrow('one has no address left in its block 10.65.0.64/26');
  expect(ipam.assign(two, 'elsewhere')).toBe('10.65.0.128');
});

test('an address that was given back is handed out again', () => {
  const ipam = new Ipam();
  for (const task of ['a', 'b', 'c']) ipam.assign(one, task);
  ipam.release(one, 'b');
  expect(ipam.assign(one, 'd')).toBe('10.65.0.65');
});

test('the block is written as Calico keeps it: each address names its owner by position', () => {
  const ipam = new Ipam();
  ipam.assign(one, 'a');
  ipam.assign(one, 'b');
  ipam.release(one, 'a');
  const { key, value } = ipam.write(one);
  expect(key).toBe('/calico/ipam/v2/assignment/ipv4/block/10.65.0.64-26');
  expect(JSON.parse(value)).toMatchObject({ cidr: '10.65.0.64/26', affinity: 'host:one', strict_affinity: false });
  const { allocations, attributes, unallocated } = json(ipam, one);
  expect(allocations.slice(0, 3)).toEqual([null, 0, null]);
  expect(attributes).toEqual([{ handle_id: 'b', secondary: {} }]);
  expect(unallocated.slice(0, 2)).toEqual([0, 2]);
});
