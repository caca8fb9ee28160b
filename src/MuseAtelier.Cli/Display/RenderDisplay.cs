using MuseAtelier.Cli.Streams;
using Spectre.Console;
using Spectre.Console.Rendering;
using static System.FormattableString;

namespace MuseAtelier.Cli.Display;

/// <summary>
/// Shows the progress of opening a model and of painting: as a live bar in a terminal, as occasional lines elsewhere. While it is paused
/// so that other lines can be written, it ignores progress reports, because the engine may already be working on the next picture.
/// </summary>
internal abstract class RenderDisplay : IProgress<LoadProgress>, IProgress<GenerationProgress>, IAsyncDisposable
{
    private readonly Lock _showing = new();

    // The first report of the steps whose speed is measured; null before it.
    private (int Step, TimeSpan Elapsed)? _paceBegan;
    private bool _isPaused;

    /// <summary>The number of pictures that are painted.</summary>
    public required int Pictures { get; init; }

    /// <summary>Creates the display that suits the terminal.</summary>
    public static RenderDisplay Start(Terminal terminal, int pictures) => terminal.ErrorConsole is { } console
        ? new LiveDisplay(console) { Pictures = pictures }
        : new PlainDisplay(terminal.Error) { Pictures = pictures };

    /// <summary>Pauses the display, so that other lines may be written until <see cref="Continue"/>.</summary>
    public Task PauseAsync()
    {
        lock (_showing) _isPaused = true;
        return LeaveAsync();
    }

    /// <summary>Shows a finished picture and pauses, so that other lines may be written until <see cref="Continue"/>.</summary>
    public Task FinishAsync(Picture picture)
    {
        lock (_showing) _isPaused = true;
        ShowFinished(picture);
        return LeaveAsync();
    }

    /// <summary>Ends the pause.</summary>
    public void Continue()
    {
        lock (_showing) _isPaused = false;
    }

    public void Report(LoadProgress value) => ShowUnlessPaused(new RenderState(value.Phase, value.Fraction, "", null));

    public void Report(GenerationProgress value)
    {
        // Each pass has its own speed. The time until its first step ends includes the text encoders and the enlarging, so it is measured
        // from the second step on.
        if (value.Phase != GenerationPhase.Denoising) _paceBegan = null;
        else _paceBegan ??= (value.Step, value.Elapsed);
        string name = Name(value);
        ShowUnlessPaused(value.Phase switch
        {
            GenerationPhase.Queued or GenerationPhase.Encoding => new RenderState($"{name}reading the prompt", 0, "", null),
            GenerationPhase.Denoising => new RenderState($"{name}painting", (double)value.Step / value.Steps, Pace(value), value.Preview),
            GenerationPhase.Enlarging => new RenderState(
                $"{name}enlarging", (double)value.Tile / value.Tiles, Invariant($"tile {value.Tile}/{value.Tiles}"), null),
            GenerationPhase.Decoding => new RenderState($"{name}decoding", 1, "", null),
            _ => new RenderState($"{name}done", 1, Invariant($"{value.Elapsed.TotalSeconds:0.0} s"), null),
        });
    }

    /// <summary>Shows work whose finished part is known, with the time that is left if all of it goes at one speed.</summary>
    /// <param name="phase">The work, in words.</param>
    /// <param name="share">The finished part, 0 to 1.</param>
    /// <param name="elapsed">Time since the work began.</param>
    public void Report(string phase, double share, TimeSpan elapsed)
    {
        string left = share is > 0 and < 1 ? $", {Left(elapsed.TotalSeconds / share * (1 - share))}" : "";
        ShowUnlessPaused(new RenderState(phase, share, share > 0 ? Invariant($"{share * 100:0} %{left}") : "", null));
    }

    public ValueTask DisposeAsync() => new(PauseAsync());

    protected abstract void Show(RenderState state);

    /// <summary>Shows a finished picture where the display has room for it.</summary>
    protected abstract void ShowFinished(Picture picture);

    /// <summary>Leaves the current output as it is, so that later lines appear below it.</summary>
    protected abstract Task LeaveAsync();

    private void ShowUnlessPaused(RenderState state)
    {
        lock (_showing)
            if (!_isPaused) Show(state);
    }

    private string Name(GenerationProgress value)
    {
        if (Pictures == 1) return "";
        int first = value.Picture + 1;
        int last = value.Picture + value.Pictures;
        return value.Pictures == 1
            ? Invariant($"picture {first}/{Pictures}, ")
            : Invariant($"pictures {first} to {last} of {Pictures}, ");
    }

    private string Pace(GenerationProgress value)
    {
        string step = Invariant($"step {value.Step}/{value.Steps}");
        if (_paceBegan is not { } began || value.Step <= began.Step) return step;
        double seconds = (value.Elapsed - began.Elapsed).TotalSeconds / (value.Step - began.Step);
        double left = seconds * (value.Steps - value.Step);
        string speed = seconds >= 1 ? $"{seconds:0.00} s/step" : $"{1 / Math.Max(seconds, 1e-9):0.0} steps/s";
        return $"{step}, {speed}, {Left(left)}";
    }

    private static string Left(double seconds) =>
        seconds >= 60 ? Invariant($"{(int)seconds / 60} min {(int)seconds % 60} s left") : Invariant($"{seconds:0} s left");
}

/// <summary>The state that a display shows.</summary>
/// <param name="Phase">The current work, in words.</param>
/// <param name="Fraction">The finished part of it, 0 to 1.</param>
/// <param name="Detail">Step, speed and time left.</param>
/// <param name="Preview">The predicted picture so far; valid during the call.</param>
internal readonly record struct RenderState(string Phase, double Fraction, string Detail, LatentPreview? Preview);

/// <summary>Writes lines of text: one when a phase begins, and up to ten during it.</summary>
internal sealed class PlainDisplay(TextWriter writer) : RenderDisplay
{
    private string? _phase;
    private int _tenth;

    protected override void ShowFinished(Picture picture) { }

    protected override Task LeaveAsync() => Task.CompletedTask;

    protected override void Show(RenderState state)
    {
        int tenth = (int)(state.Fraction * 10);
        if (state.Phase == _phase && tenth <= _tenth) return;
        _phase = state.Phase;
        _tenth = tenth;
        writer.WriteLine(Line(state));
    }

    private static string Line(RenderState state)
    {
        if (state.Detail.Length > 0) return $"{state.Phase}: {state.Detail}";
        return state.Fraction is > 0 and < 1 ? Invariant($"{state.Phase}: {state.Fraction * 100:0} %") : state.Phase;
    }
}

/// <summary>
/// Shows a bar and, if previews are on, the picture so far below it. Each picture has its own live area, so that other lines can be
/// written between two pictures.
/// </summary>
internal sealed class LiveDisplay(IAnsiConsole console) : RenderDisplay
{
    private const int BarWidth = 30;

    private LiveDisplayContext? _context;
    private CursorKeeper? _cursor;
    private TaskCompletionSource? _end;
    private Task? _display;
    private IRenderable? _preview;

    protected override void ShowFinished(Picture picture)
    {
        if (_preview is not null) _preview = TerminalPicture.Fit(console, picture.Width, picture.Height, picture.Pixels.Span);
        Show(new RenderState("done", 1, Invariant($"{picture.Timings.Total.TotalSeconds:0.0} s"), null));
    }

    protected override async Task LeaveAsync()
    {
        if (_display is null) return;
        _end!.TrySetResult();
        await _display;
        _cursor!.Dispose();
        (_context, _display, _preview) = (null, null, null);
    }

    protected override void Show(RenderState state)
    {
        if (_context is null) Begin();
        if (state.Preview is { } preview)
            _preview = TerminalPicture.Fit(console, preview.Width, preview.Height, preview.Pixels.Span);
        int done = (int)Math.Round(Math.Clamp(state.Fraction, 0, 1) * BarWidth);
        string bar = $"[gold1]{new string('━', done)}[/][grey]{new string('━', BarWidth - done)}[/]";
        IRenderable line = new Markup($"{Markup.Escape(state.Phase)} {bar} {Markup.Escape(state.Detail)}");
        _context!.UpdateTarget(_preview is null ? line : new Rows(line, _preview));
    }

    private void Begin()
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _cursor = new CursorKeeper(console.Profile.Out.Writer);
        // The callback runs synchronously up to its await, so the context is set when this call returns.
        _display = console.Live(new Text("")).StartAsync(context =>
        {
            _context = context;
            return end.Task;
        });
        _end = end;
    }
}
