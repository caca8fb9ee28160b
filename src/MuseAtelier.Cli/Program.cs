using MuseAtelier.Cli;
using MuseAtelier.Cli.Streams;

using var streams = new ProcessStreams(ProcessStreams.AsksForJson(args));
return await MuseCommand.RunAsync(args, streams.Terminal);
