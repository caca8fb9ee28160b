using Microsoft.Extensions.Logging;
using MuseAtelier.Server.Logging;

namespace MuseAtelier.Tests.Server.Host;

public sealed class LineLoggerTests
{
    [Fact]
    public void Log_WritesWarningsAndErrors_EachAsOneLine()
    {
        List<string> lines = [];
        using var provider = new LineLogger(lines.Add);
        ILogger logger = provider.CreateLogger("Part");
#pragma warning disable CA1848, CA2254 // A test logs three lines.
        logger.LogInformation("started");
        logger.LogWarning("slow");
        logger.LogError(new InvalidOperationException("full"), "stopped");
#pragma warning restore CA1848, CA2254
        Assert.Equal(2, lines.Count);
        Assert.Matches("^[0-9T:Z-]{20} warning Part: slow$", lines[0]);
        Assert.Matches("^[0-9T:Z-]{20} error Part: stopped InvalidOperationException: full$", lines[1]);
    }
}
