using MuseAtelier;
using MuseAtelier.Cli;
using MuseAtelier.Cli.Streams;
using MuseAtelier.Host;

// What .NET itself starts for signals, the console and work in the background: where that fails, it hangs or ends the process with a trace.
const int threadsOfDotNet = 6;

try
{
    HostThreads.Require(threadsOfDotNet);
}
catch (ThreadLimitException exception)
{
    ProcessStreams.WriteRaw($"error: {exception.Message}\n");
    return ExitCode.Failed;
}

using var streams = new ProcessStreams(ProcessStreams.AsksForJson(args));
return await MuseCommand.RunAsync(args, streams.Terminal);
