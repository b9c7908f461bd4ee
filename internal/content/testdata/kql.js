// Reads KQL as Microsoft's own language service does, with the columns of
// CommonSecurityLog that leakveil's messages come in, and prints what is wrong.
// usage: node kql.js MODULES FUNCTION.kql FILE...
const fs = require('fs'), path = require('path');
const [modules, shared, ...files] = process.argv.slice(2);
const service = path.join(modules, '@kusto', 'language-service-next');
require(path.join(service, 'bridge.js'));
require(path.join(service, 'Kusto.Language.Bridge.js'));
const { GlobalState, KustoCode, Symbols } = Kusto.Language;
const columns = '(TimeGenerated: datetime, DeviceVendor: string, DeviceProduct: string, DeviceEventClassID: string, LogSeverity: string, Activity: string, ' +
  'DeviceAction: string, DeviceEventCategory: string, EventCount: int, EndTime: datetime, StartTime: datetime, ReceiptTime: string, ExtID: string, ' +
  'FilePath: string, FlexString1: string, Message: string, Reason: string, SourceServiceName: string, ' +
  'FieldDeviceCustomNumber1: long, FieldDeviceCustomNumber2: long, FieldDeviceCustomNumber3: long, ' +
  [1, 2, 3, 4, 5, 6].map(n => `DeviceCustomString${n}: string, DeviceCustomString${n}Label: string`).join(', ') + ')';
const table = Symbols.TableSymbol.From(columns).WithName('CommonSecurityLog');
const func = new Symbols.FunctionSymbol.$ctor16('LeakveilAlerts', '()', '{' + fs.readFileSync(shared, 'utf8') + '\n}', '');
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('db', [table, func]));
let wrong = 0;
for (const file of [shared, ...files]) {
  const code = KustoCode.ParseAndAnalyze(fs.readFileSync(file, 'utf8'), globals);
  const found = code.GetDiagnostics();
  for (let i = 0; i < found.Count; i++) {
    const d = found.getItem(i);
    console.log(`${file}: ${d.Severity} ${d.Message}`);
    wrong++;
  }
  const type = code.ResultType;
  const given = type && type.Columns ? Array.from({ length: System.Array.getCount(type.Columns) }, (_, i) => System.Array.getItem(type.Columns, i).Name) : [];
  console.log(`${file}: gives ${given.join(' ')}`);
}
process.exit(wrong ? 1 : 0);
