import { writeFileSync } from 'node:fs'
import { editorSchema } from './editor-schema.js'

/** `npm run schema`: writes the schema that editors use to the file that is named. */
writeFileSync(process.argv[2], `${JSON.stringify(await editorSchema(), null, 2)}\n`)
