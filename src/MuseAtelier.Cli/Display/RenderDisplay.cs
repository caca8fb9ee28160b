using System.Globalization;
using MuseAtelier.Cli.Streams;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace MuseAtelier.Cli.Display;

/// <summary>
/// Shows how a model is opened and pictures are painted: a bar that lives in a terminal, a line now and then elsewhere. While it pauses, so that
/// other lines can be written, it takes no notice of reports: the next picture may be under way by then.
/// </summary>
internal abstract class RenderDisplay : IProgress<LoadProgress>, IProgress<GenerationProgress>, IAsyncDisposable
{
    private readonly Lock _showing = new();
    private TimeSpan _denoisingBegan;
    private bool _pauses;

    protected int Pictures { get; private init; }

    /// <summary>The display that suits the terminal.</summary>
    public static RenderDisplay Start(Terminal terminal, int pictures) =>
        terminal.ErrorConsole is { } console ? new LiveDisplay(console) { Pictures = pictures } : new PlainDisplay(terminal.Error) { Pictures = pictures };

    /// <summary>Other lines may follow at once, until <see cref="Continue"/>.</summary>
    public Task PauseAsync()
    {
        lock (_showing) _pauses = true;
        return LeaveAsync();
    }

    /// <summary>A picture is finished; other lines may follow at once, until <see cref="Continue"/>.</summary>
    public Task FinishAsync(Picture picture)
    {
        lock (_showing) _pauses = true;
        ShowFinished(picture);
        return LeaveAsync();
    }

    /// <summary>No more other lines follow.</summary>
    public void Continue()
    {
        lock (_showing) _pauses = false;
    }

    public void Report(LoadProgress value) => ShowUnlessPausing(new RenderState(value.Phase, value.Fraction, "", null));

    public void Report(GenerationProgress value)
    {
        if (value.Phase == GenerationPhase.Encoding) _denoisingBegan = TimeSpan.Zero;
        // Time before the first step ends holds the text encoders; speed counts from there on, and so from the second step.
        if (value is { Phase: GenerationPhase.Denoising, Step: 1 }) _denoisingBegan = value.Elapsed;
        string name = Name(value);
        ShowUnlessPausing(value.Phase switch
        {
            GenerationPhase.Queued or GenerationPhase.Encoding => new RenderState($"{name}reading the prompt", 0, "", null),
            GenerationPhase.Denoising => new RenderState($"{name}painting", (double)value.Step / value.Steps, Pace(value), value.Preview),
            GenerationPhase.Decoding => new RenderState($"{name}developing", 1, "", null),
            _ => new RenderState($"{name}done", 1, string.Create(CultureInfo.InvariantCulture, $"{value.Elapsed.TotalSeconds:0.0} s"), null),
        });
    }

    public ValueTask DisposeAsync() => new(PauseAsync());

    protected abstract void Show(RenderState state);

    /// <summary>Shows a finished picture where there is room for it.</summary>
    protected abstract void ShowFinished(Picture picture);

    /// <summary>Leaves what is shown as it stands, so that other lines come below it.</summary>
    protected abstract Task LeaveAsync();

    private void ShowUnlessPausing(RenderState state)
    {
        lock (_showing)
            if (!_pauses) Show(state);
    }

    private string Name(GenerationProgress value)
    {
        if (Pictures == 1) return "";
        int first = value.Picture + 1;
        return value.Pictures == 1
            ? string.Create(CultureInfo.InvariantCulture, $"picture {first}/{Pictures}, ")
            : string.Create(CultureInfo.InvariantCulture, $"pictures {first} to {value.Picture + value.Pictures} of {Pictures}, ");
    }

    private string Pace(GenerationProgress value)
    {
        string step = string.Create(CultureInfo.InvariantCulture, $"step {value.Step}/{value.Steps}");
        if (value.Step < 2) return step;
        double seconds = (value.Elapsed - _denoisingBegan).TotalSeconds / (value.Step - 1), left = seconds * (value.Steps - value.Step);
        string speed = seconds >= 1 ? $"{seconds:0.00} s/step" : $"{1 / Math.Max(seconds, 1e-9):0.0} steps/s";
        return $"{step}, {speed}, {(left >= 60 ? $"{(int)left / 60} min {(int)left % 60} s" : $"{left:0} s")} left";
    }
}

/// <summary>What a display shows.</summary>
/// <param name="Phase">What is being done.</param>
/// <param name="Fraction">How much of it is done, 0 to 1.</param>
/// <param name="Detail">Step, speed and time left.</param>
/// <param name="Preview">The picture so far; valid during the call.</param>
internal readonly record struct RenderState(string Phase, double Fraction, string Detail, LatentPreview? Preview);

/// <summary>Lines of text: one for each phase, and ten while a phase goes on.</summary>
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
        (_phase, _tenth) = (state.Phase, tenth);
        writer.WriteLine(state.Detail.Length > 0 ? $"{state.Phase}: {state.Detail}" : state.Fraction is > 0 and < 1 ? string.Create(CultureInfo.InvariantCulture, $"{state.Phase}: {state.Fraction * 100:0} %") : state.Phase);
    }
}

/// <summary>A bar, and below it the picture so far where it was asked for. Each picture has its own, so that lines can stand between them.</summary>
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
        Show(new RenderState("done", 1, string.Create(CultureInfo.InvariantCulture, $"{picture.Timings.Total.TotalSeconds:0.0} s"), null));
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
        if (state.Preview is { } preview) _preview = TerminalPicture.Fit(console, preview.Width, preview.Height, preview.Pixels.Span);
        int done = (int)Math.Round(Math.Clamp(state.Fraction, 0, 1) * BarWidth);
        IRenderable bar = new Markup($"{Markup.Escape(state.Phase)} [gold1]{new string('━', done)}[/][grey]{new string('━', BarWidth - done)}[/] {Markup.Escape(state.Detail)}");
        _context!.UpdateTarget(_preview is null ? bar : new Rows(bar, _preview));
    }

    private void Begin()
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _cursor = new CursorKeeper(console.Profile.Out.Writer);
        // Runs up to the await at once, so that the context is there when this returns.
        _display = console.Live(new Text("")).StartAsync(context =>
        {
            _context = context;
            return end.Task;
        });
        _end = end;
    }
}
