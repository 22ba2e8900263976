/** What the plan of a host with a package manager has beside files and units. */
export interface HostPlan {
  /** Operating system that the script is for, and refuses any other. */
  readonly os: string;
}
