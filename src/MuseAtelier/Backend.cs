namespace MuseAtelier;

/// <summary>Where an atelier runs. Made by a backend package (MuseAtelier.Cpu, MuseAtelier.Cuda), which also brings the native runtime.</summary>
public abstract class Backend
{
    private protected Backend() { }
}
