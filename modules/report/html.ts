import type { Report } from '../verify/report.ts';
/** The report as one HTML page that needs nothing else. */
export function html(report: Report): string {
  return `<!doctype html><title>mesos-calico</title><p>${report.steps.length} steps`;
}
