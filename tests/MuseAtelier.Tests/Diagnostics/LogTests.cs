using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Diagnostics;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Diagnostics;

public sealed class LogTests(NarrowAtelier narrow)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Log_OfTwoAteliers_GoesToTheFactoryOfEachAndHoldsNoPrompt()
    {
        var first = new Messages();
        var second = new Messages();
        await using (Atelier one = await narrow.OpenAsync(TestAtelier.Options with { LoggerFactory = first, Name = "one" }))
        {
            await using Atelier two = await narrow.OpenAsync(TestAtelier.Options with { LoggerFactory = second, Name = "two" });
            await one.GenerateAsync(TestAtelier.Small with { Prompt = "a secret" }, cancellationToken: Cancellation);
            var failing = new Reports<GenerationProgress>(report =>
            {
                if (report.Phase == GenerationPhase.Encoding) throw new InvalidDataException("no room");
            });
            await Assert.ThrowsAsync<InvalidDataException>(() => one.GenerateAsync(TestAtelier.Small, failing, Cancellation));
        }

        Assert.Equal(
            [
                (AtelierEvents.Opened, LogLevel.Information), (AtelierEvents.PlanChosen, LogLevel.Debug),
                (AtelierEvents.PictureFinished, LogLevel.Debug), (AtelierEvents.RequestFailed, LogLevel.Error),
                (AtelierEvents.Disposing, LogLevel.Information), (AtelierEvents.Disposed, LogLevel.Information),
            ],
            first.All.Select(message => (message.Id.Id, message.Level)));
        Assert.Equal([AtelierEvents.Opened, AtelierEvents.Disposing, AtelierEvents.Disposed], second.All.Select(message => message.Id.Id));
        Assert.All(first.All, message => Assert.StartsWith("one: ", message.Text, StringComparison.Ordinal));
        Assert.All(second.All, message => Assert.StartsWith("two: ", message.Text, StringComparison.Ordinal));
        Assert.All(first.All, message => Assert.Equal(AtelierLog.Category, message.Category));
        Assert.All(first.All, message => Assert.DoesNotContain("secret", message.Text, StringComparison.Ordinal));
        Assert.Contains(narrow.Atelier.Model.Name, first.Of(AtelierEvents.Opened)[0].Text, StringComparison.Ordinal);
        Assert.IsType<InvalidDataException>(first.Of(AtelierEvents.RequestFailed)[0].Exception);
    }

    [Fact]
    public void OnnxLog_OfTwoDevices_RoutesByTheSession()
    {
        var first = new Messages();
        var second = new Messages();
        var one = new OnnxLog(first);
        using var two = new OnnxLog(second);
        OnnxLog.Write(OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING, one.SessionId, "place", "of a session");
        OnnxLog.Write(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, one.SessionId + ":run", "place", "of a run");
        Assert.Equal([LogLevel.Warning, LogLevel.Error], first.All.Select(message => message.Level));
        Assert.Equal("place: of a session", first.All[0].Text);
        Assert.All(first.All, message => Assert.Equal(AtelierEvents.OnnxRuntimeMessage, message.Id.Id));
        Assert.Empty(second.All);
        one.Dispose();
        OnnxLog.Write(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, one.SessionId, "place", "of a session that is closed");
        Assert.Equal(2, first.All.Count);
    }

    // ONNX Runtime's native code calls the log, and no exception may reach it.
    [Fact]
    public void OnnxLog_OfALoggerThatFails_Returns()
    {
        var failing = new Messages { Receiving = () => throw new IOException("no space") };
        using var log = new OnnxLog(failing);
        OnnxLog.Write(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, log.SessionId, "place", "of a session");
        Assert.NotEmpty(failing.All);
    }

    [Fact]
    public void OnnxRuntime_OfASession_LogsWithThatSessionsId()
    {
        var messages = new Messages();
        var others = new Messages();
        using var log = new OnnxLog(messages);
        using var other = new OnnxLog(others);
        string[] graphs = Directory.GetFiles(narrow.Atelier.Model.Package, "*.onnx", SearchOption.AllDirectories);
        string graph = graphs.MinBy(file => new FileInfo(file).Length)!;
        using (var options = new SessionOptions { LogId = log.SessionId, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_INFO })
        using (new InferenceSession(graph, options))
            Assert.NotEmpty(messages.All);
        Assert.All(messages.All, message => Assert.Equal(AtelierLog.OnnxCategory, message.Category));
        Assert.Empty(others.All);
    }
}
