using MuseAtelier.Cuda;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Server;
using static System.FormattableString;

namespace MuseAtelier.Cli.Diagnosis;

/// <summary>What drivers and libraries say of the device that paints, for the checklist.</summary>
internal static class DeviceDiagnosis
{
    /// <summary>Looks at the device of a backend. The first call takes some hundred milliseconds.</summary>
    /// <param name="backend">The backend.</param>
    /// <param name="card">The card's number.</param>
    public static DeviceFinding Run(Backend backend, int card = 0) => Of(backend, CudaDiagnosis.Run(), OnnxLibrary.Problem(), card);

    /// <summary>The finding of a diagnosis.</summary>
    /// <param name="backend">The backend.</param>
    /// <param name="cuda">The parts and cards.</param>
    /// <param name="runtime">Why ONNX Runtime cannot be used; null if it can.</param>
    /// <param name="card">The card's number.</param>
    public static DeviceFinding Of(Backend backend, CudaDiagnosis cuda, MuseAtelierException? runtime, int card = 0)
    {
        MuseAtelierException? problem = cuda.Problem(card);
        if (backend is CudaBackend)
        {
            string name = card < cuda.Cards.Count ? cuda.Cards[card].Name : Invariant($"card {card}");
            return With(new DeviceFinding { Device = name, IsCard = true }, problem);
        }

        var processor = new DeviceFinding { Device = DeviceFinding.ProcessorInWords(), IsCard = false };
        if (runtime is not null) return With(processor, runtime);
        // Without a card, painting on the processor is all that the machine can do.
        if (cuda.Cards.Count == 0) return processor;
        return problem is null
            ? processor with
            {
                Problem = $"muse paints on {processor.Device}, although {cuda.Cards[0].Name} could be used",
                Remedy = "Start with --device cuda.",
            }
            : With(processor, problem);
    }

    private static DeviceFinding With(DeviceFinding finding, MuseAtelierException? problem) => problem is null
        ? finding
        : finding with { Problem = $"{problem.Found}; expected {problem.Expected}", Remedy = problem.Remedy };
}
