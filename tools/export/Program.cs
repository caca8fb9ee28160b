using MuseAtelier.Tools;
using MuseAtelier.Tools.Export;

using var console = new Utf8Console();
return await ExportCommand.RunAsync(args);
