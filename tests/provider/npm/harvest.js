// Harvests a data provider with the npm package oai-pmh; prints one line of JSON a record.
const { OaiPmh } = require('oai-pmh')

async function main () {
  const records = new OaiPmh(process.argv[2]).listRecords({ metadataPrefix: 'oai_dc' })
  for await (const { header } of records) {
    const deleted = header.$ !== undefined && header.$.status === 'deleted'
    console.log(JSON.stringify({ identifier: header.identifier, deleted }))
  }
}

main()
