#!/usr/bin/env node
import { launch } from './launch.js'

await launch('spillway', new URL('../dist/src/spillway/main.js', import.meta.url))
