using MuseAtelier.Tools.Export;

return await ExportCommand.RunAsync(args);
