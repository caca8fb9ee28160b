using MuseAtelier;
using MuseAtelier.Cli;
using MuseAtelier.Cli.Streams;
using MuseAtelier.Limits;

// The threads that .NET starts for signals, the console and background work. If it cannot start them, it hangs or ends the process with a
// stack trace, so they are checked first.
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

#if AVIF
MuseAtelier.Pictures.Avif.AvifCodec.Register();
#endif
using var streams = new ProcessStreams(ProcessStreams.AsksForJson(args));
return await MuseCommand.RunAsync(args, streams.Terminal);
