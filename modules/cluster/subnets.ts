/**
 * How a network that the kit creates is cut up, and which addresses masters get. Everything follows from names, so that
 * a zone or a machine more never moves what is there.
 */
import type { AwsTarget, GceTarget } from './cluster.ts';
import { addressAt, part } from './range.ts';

/** A VPC is cut into this many equal parts: one per zone, by the letter of the zone, and the last for NAT. */
const parts = 8;
const partBits = 3;

/** Where masters begin within a subnet: AWS keeps the first four addresses, Google the first two. */
const firstMaster = 16;

/** The letter of a zone as a number from 0: us-west-2a and us-central1-a are 0. */
export const zoneIndex = (zone: string): number => zone.charCodeAt(zone.length - 1) - 'a'.charCodeAt(0);

/** Whether a zone has a part of the VPC: zones a to g. */
export const zoneFits = (zone: string): boolean => zoneIndex(zone) >= 0 && zoneIndex(zone) < parts - 1;

/** The subnet of a zone in a VPC that the kit creates. IPv4 CIDR; the VPC is /24 or larger. */
export const zoneSubnet = (vpc: string, zone: string): string => part(vpc, partBits, zoneIndex(zone));

/** The subnet of the NAT gateway in a VPC that the kit creates. */
export const natSubnet = (vpc: string): string => part(vpc, partBits, parts - 1);

/** Address of a master, counted from 0, in a network with this range that the kit creates. */
export function masterAddress(target: AwsTarget | GceTarget, cidr: string, index: number): string {
  return addressAt(target.kind === 'aws' ? zoneSubnet(cidr, masterZone(target, index)) : cidr, firstMaster + index);
}

/** Masters go round the zones in the order in which they are written. */
export const masterZone = (target: AwsTarget | GceTarget, index: number): string =>
  target.zones[index % target.zones.length]!;
