using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier.Server.Checklist;

/// <summary>
/// Says whether a picture can be painted as promised: with fp16 on a card, within the memory budget, in half a minute. Opens no model and
/// takes no memory of a card. The page and <c>muse doctor</c> show the same lines.
/// </summary>
internal sealed class FirstRunChecklist
{
    /// <summary>The seconds within which a card should have painted the first picture.</summary>
    public const double LongestFirstPicture = 30;

    // Some five hundred pictures.
    private const long LeastDisk = 1L << 30;

    private static readonly PictureRequest Usual = new() { Prompt = "" };

    private static readonly string UsualInWords = Invariant($"{Usual.Width}x{Usual.Height} px");

    private readonly ChecklistSubject _subject;
    private readonly ModelSizes? _sizes;
    private readonly bool _isExported;
    private readonly MuseAtelierException? _modelFailure;
    private readonly ResidencyPlan? _plan;
    private readonly MuseAtelierException? _planFailure;

    private FirstRunChecklist(ChecklistSubject subject)
    {
        _subject = subject;
        if (subject.Model is not { } model) return;
        try
        {
            string? package = PackageCache.Find(model, subject.Atelier.PackageChoice);
            _isExported = package is not null;
            _sizes = ModelSizes.Read(package ?? model, subject.Atelier.Backend.Lowering, subject.Atelier.Precisions);
        }
        catch (MuseAtelierException exception)
        {
            _modelFailure = exception;
            return;
        }

        try
        {
            _plan = Atelier.Plan(model, subject.Atelier, Usual);
        }
        catch (MuseAtelierException exception)
        {
            _planFailure = exception;
        }
    }

    /// <summary>Checks everything. It takes some milliseconds.</summary>
    /// <param name="subject">What is checked.</param>
    public static IReadOnlyList<ChecklistLine> Run(ChecklistSubject subject)
    {
        var list = new FirstRunChecklist(subject);
        return [list.Model(), list.Precision(), list.Sanctum(), list.Device(), list.Speed(), list.Gallery()];
    }

    private ChecklistLine Model()
    {
        const string key = "model";
        if (_subject.Model is not { } model)
        {
            return ChecklistLine.ToDo(
                key, Sentence(_subject.ModelProblem ?? "no model was named"), "Name a checkpoint (.safetensors) with --model.");
        }

        if (_modelFailure is { } failure) return Failed(key, failure);
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(model));
        return ChecklistLine.Done(key, _isExported
            ? $"{name} is ready to be opened."
            : $"{name} can be opened; it is exported into the cache once, before its first picture.");
    }

    private ChecklistLine Precision()
    {
        const string key = "precision";
        if (_sizes is not { } sizes) return Unknown(key);
        Precisions used = sizes.Precisions;
        string finding = Sentence($"the model computes with {used}");
        bool isHalf = used.UNet.Arithmetic == MuseAtelier.Precision.Fp16 && used.Vae.Arithmetic == MuseAtelier.Precision.Fp16;
        if (isHalf && used.TextEncoders.Arithmetic == MuseAtelier.Precision.Fp32) return ChecklistLine.Done(key, finding);
        return ChecklistLine.ToDo(key, finding, _subject.Device.IsCard
            ? "Name the checkpoint itself instead of a package, so that it is exported with UNet and VAE in fp16 and text encoders in fp32."
            : "Processors compute in fp32, which looks the same but takes twice the memory. For fp16, paint on an NVIDIA card.");
    }

    private ChecklistLine Sanctum()
    {
        const string key = "sanctum";
        bool isDeclared = _subject.Atelier.DeclaredBudget is not null;
        if (_plan is { } plan)
        {
            string origin = isDeclared ? "declared" : _subject.Device.IsCard ? "the default" : "the memory that is free now";
            string budget = $"the budget is {ByteSize.Format(plan.BudgetBytes)} ({origin})";
            return ChecklistLine.Done(key, Sentence($"{budget}, and a picture of {UsualInWords} takes {ByteSize.Format(plan.PeakBytes)}"));
        }

        if (_planFailure is not BudgetTooSmallException small) return _planFailure is { } other ? Failed(key, other) : Unknown(key);
        string option = _subject.Atelier.CountedMemory == MemoryKind.Host ? "--ram" : "--vram";
        string remedy = isDeclared
            ? $"Give at least {ByteSize.FormatUp(small.LeastBytes)} with {option}, or paint smaller pictures."
            : $"Close other programs until {ByteSize.FormatUp(small.LeastBytes)} are free, or paint smaller pictures.";
        return ChecklistLine.ToDo(key, Sentence($"{small.Found}, which is too little for a picture of {UsualInWords}"), remedy);
    }

    private ChecklistLine Device()
    {
        const string key = "device";
        DeviceFinding device = _subject.Device;
        return device.Problem is { } problem
            ? ChecklistLine.ToDo(key, Sentence(problem), device.Remedy ?? "See 'muse doctor'.")
            : ChecklistLine.Done(key, Sentence($"muse paints on {device.Device}"));
    }

    private ChecklistLine Speed()
    {
        const string key = "speed";
        if (_plan is not { } plan) return Unknown(key);
        double seconds = plan.Estimate.Picture;
        string picture = Invariant($"a picture of {UsualInWords} in {Usual.Steps} steps takes about {Math.Max(1, Math.Round(seconds))} s");
        if (!_subject.Device.IsCard)
        {
            return ChecklistLine.ToDo(
                key,
                Sentence($"{picture}, as estimated from a processor of two cores"),
                Invariant($"Within {LongestFirstPicture} s needs an NVIDIA card. On a processor, paint smaller pictures, in few steps."));
        }

        string opening = _subject.SecondsToOpen is > 0 and var wait
            ? Invariant($", after about {Math.Ceiling(wait)} s for opening the model")
            : "";
        string finding = Sentence($"{picture}{opening}, as estimated from an H100; other cards differ");
        return seconds + (_subject.SecondsToOpen ?? 0) <= LongestFirstPicture
            ? ChecklistLine.Done(key, finding)
            : ChecklistLine.ToDo(key, finding, "Give more memory with --vram, so that fewer weights are streamed, or take fewer steps.");
    }

    private ChecklistLine Gallery()
    {
        const string key = "gallery";
        PlaceDiagnosis place = PlaceDiagnosis.Of(key, _subject.Gallery);
        if (place.Problem is { } problem)
        {
            string refusal = Sentence($"pictures cannot be kept in {place.Folder} ({problem})");
            return ChecklistLine.ToDo(key, refusal, "Name another folder with --gallery, or change this one.");
        }

        string free = place.FreeBytes is { } bytes ? $", and {ByteSize.Format(bytes)} are free" : "";
        string finding = Sentence($"pictures are kept in {place.Folder}{free}");
        return place.FreeBytes < LeastDisk
            ? ChecklistLine.ToDo(key, finding, $"Free some space: {ByteSize.Format(LeastDisk)} hold some five hundred pictures.")
            : ChecklistLine.Done(key, finding);
    }

    private static ChecklistLine Failed(string key, MuseAtelierException failure) =>
        ChecklistLine.ToDo(key, Sentence($"{failure.Found}; expected {failure.Expected}"), failure.Remedy);

    private static ChecklistLine Unknown(string key) =>
        ChecklistLine.ToDo(key, "Nothing is known without a plan for the model.", "See to the lines about the model and the memory first.");

    private static string Sentence(string text)
    {
        string trimmed = text.TrimEnd('.');
        // The program's name has a small letter everywhere.
        char first = trimmed.StartsWith("muse ", StringComparison.Ordinal) ? trimmed[0] : char.ToUpperInvariant(trimmed[0]);
        return $"{first}{trimmed[1..]}.";
    }
}
