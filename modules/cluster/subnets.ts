/**
 * How a network that the kit creates is cut up, and which addresses masters get. Subnets follow from the names of zones, so
 * that a zone more never moves one; masters go round `masters.zones`, so that they stay where they are if that stays.
 */
import { addressAt, part, range, size } from './range.ts';

/** A VPC is cut into this many equal parts: one per zone, by the letter of the zone, and the last for NAT. */
const parts = 8;
const partBits = 3;

/** Where masters begin within a subnet of AWS, which gives agents addresses at random and keeps the first four itself. */
const firstOnAws = 16;

/** Where masters begin, counted from the end, in a subnetwork of Google, which gives agents the lowest that are free. */
const lastOnGce = 16;

/** The letter of a zone as a number from 0: us-west-2a and us-central1-a are 0. */
export const zoneIndex = (zone: string): number => zone.charCodeAt(zone.length - 1) - 'a'.charCodeAt(0);

/** Whether a zone has a part of the VPC: zones a to g. */
export const zoneFits = (zone: string): boolean => zoneIndex(zone) >= 0 && zoneIndex(zone) < parts - 1;

/** The subnet of a zone in a VPC that the kit creates. IPv4 CIDR; the VPC is /24 or larger. */
export const zoneSubnet = (vpc: string, zone: string): string => part(vpc, partBits, zoneIndex(zone));

/** The subnet of the NAT gateway in a VPC that the kit creates. */
export const natSubnet = (vpc: string): string => part(vpc, partBits, parts - 1);

/** Address of a master, counted from 0, in a network with this range that the kit creates. */
export function masterAddress(kind: 'aws' | 'gce', cidr: string, zone: string, index: number): string {
  if (kind === 'aws') return addressAt(zoneSubnet(cidr, zone), firstOnAws + index);
  return addressAt(cidr, Number(size(range(cidr))) - lastOnGce + index);
}

/** Where machines begin in Vagrant's network, of which the first address is this machine's: masters, and agents after them. */
const vagrantMasters = 11;
const vagrantAgents = 101;

/** Address of a machine of Vagrant: the masters' from .11 on, the agents' from .101 on; one after the other in a small network. */
export function vagrantAddress(network: string, masters: number, index: number): string {
  const room = Number(size(range(network)));
  if (room < 256) return addressAt(network, 2 + index);
  return addressAt(network, index < masters ? vagrantMasters + index : vagrantAgents + index - masters);
}

/** Masters go round the zones in the order in which they are written. */
export const masterZone = (zones: readonly string[], index: number): string => zones[index % zones.length]!;
