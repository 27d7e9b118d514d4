import { execFileSync } from 'node:child_process'

/** Lets a process and all of its threads use one processor only. @returns whether that could be done */
export function pin(pid: number, cpu: number): boolean {
  try {
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', `${cpu}`, `${pid}`], { stdio: 'ignore' })
    return true
  } catch {
    return false // no Linux, or no util-linux
  }
}
