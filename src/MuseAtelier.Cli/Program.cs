using MuseAtelier.Cli;

return await MuseCommand.RunAsync(args, Terminal.OfProcess());
