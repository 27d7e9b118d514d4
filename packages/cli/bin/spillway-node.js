#!/usr/bin/env node
// One of the brokers of `spillway start --nodes`, which starts it.
import { launch } from './launch.js'

launch('spillwayNode', new URL('../dist/src/spillway/nodes/child.js', import.meta.url))
